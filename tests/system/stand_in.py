"""A stand-in for the recorder process of a real unit, without a hook in the unit: Python reads it before anything else.

Written as `sitecustomize.py` into a folder that the unit gets as `PYTHONPATH`.
"""

from __future__ import annotations

from pathlib import Path

_UNRULY = Path(__file__).parents[1] / "helpers" / "unruly.py"

UNRULY_RECORDER = f"""
import runpy, sys
if sys.orig_argv[1:4] == ["-m", "agent.helpers", "recorder"]:
    sys.argv = [{str(_UNRULY)!r}, "{{how}}", "{{folder}}", *sys.orig_argv[3:]]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()
"""
"""With `how` and `folder` to be filled in."""

IMPATIENT_UNIT = """
import os, sys
if "agent.cli.main" in sys.orig_argv:
    import agent.clock, agent.helpers.last_rung, agent.recovery
    agent.helpers.last_rung.NO_FRAMES_FOR_S = 3.0
    agent.recovery.LOOK_EVERY_S = 0.1
    agent.clock.kernel_boot_id = lambda: os.environ["BOOT_ID"]
"""
"""A unit to which ten minutes are three seconds, and which is told in which boot it is."""

SLOW_TO_OPEN_COMMANDS = """
import sys
if "agent.cli.main" in sys.orig_argv:
    import pathlib, time
    import agent.commands.audit, agent.commands.file
    agent.commands.audit.OPEN_WITHIN_S = 300.0
    at_once = agent.commands.file.CommandFile.open
    def late(file):
        while not pathlib.Path({gate!r}).exists():
            time.sleep(0.02)
        return at_once(file)
    agent.commands.file.CommandFile.open = late
"""
"""A unit whose file of commands does not open, and is waited for, until there is a file `gate`."""

HELPERS_ON_ANOTHER_DISK = """
import sys
if "agent.cli.main" in sys.orig_argv:
    sys.executable = {program!r}
"""
"""A unit whose helpers' program lies elsewhere."""

WATCHED_LOOP = """
import sys
if "agent.cli.main" in sys.orig_argv:
    import asyncio, os, threading, traceback
    BLOCKING = {{
        "open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate",
        "glob.glob", "sqlite3.connect", "subprocess.Popen", "os.posix_spawn", "socket.getaddrinfo", "time.sleep",
    }}
    at_once = "/proc/", "/sys/"
    found = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def look(event, args):
        if event not in BLOCKING or asyncio._get_running_loop() is None or not os.path.exists({gate!r}):
            return
        if event == "open" and str(args[0]).startswith(at_once):
            return
        frames = [*traceback.walk_stack(sys._getframe(1))]
        if any("/fakes/" in frame.f_code.co_filename for frame, _ in frames):
            return
        where = " < ".join(f"{{frame.f_code.co_filename}}:{{line}}" for frame, line in frames[:8])
        os.write(found, f"{{event}} {{args[:1]}} at {{where}}\\n".encode())
    sys.addaudithook(look)
"""
"""A unit that writes down, once there is a file `gate`, what on its event loop may wait for a disk, a name server or a
program. Python tells that itself (PEP 578), so that nothing is timed; of fsync() and stat() it does not tell."""
