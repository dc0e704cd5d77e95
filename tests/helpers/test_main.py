"""A helper whose device hangs goes by itself, at once: nobody has to wait until it is taken for hung."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.helpers.__main__ import KILLED_FIRST
from agent.helpers.messages import Settings, Trouble, decode, encode

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_S = 60.0
JOB = """
import threading
from agent.hw.kit import HardwareHangs

class Job:
    def run(self, config, channel):
        threading.Thread(target=threading.Event().wait).start()  # in a driver, for ever; Python's own end waits for it
        raise HardwareHangs("the camera does not come back from being stopped")
"""
HELPER = """
import sys
import agent.helpers.__main__ as helper
helper.JOBS["recorder"] = ("hanging_job", "Job")
sys.exit(helper.main("recorder", int(sys.argv[1])))
"""


@pytest.fixture
def config() -> Config:
    return Config(
        profile="p",
        unit=UnitSettings(id="u", org="o", name="n", location="l"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
    )


def test_a_device_that_hangs_ends_its_process_after_a_word(tmp_path: Path, config: Config) -> None:
    (tmp_path / "hanging_job.py").write_text(JOB)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{HELPER}"]
        helper = subprocess.Popen([*argv, str(theirs.fileno())], pass_fds=(theirs.fileno(),))
        try:
            ours.sendall(encode(Settings(config.model_dump_json())))
            assert helper.wait(LIMIT_S) == 1
        finally:
            helper.kill()
            helper.wait()
        ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
        told = decode(ours.recv(65536))
    assert told == Trouble("device-hangs", "the camera does not come back from being stopped")


def test_when_memory_ends_the_kernel_kills_a_helper_before_the_daemon(tmp_path: Path, config: Config) -> None:
    (tmp_path / "telling_job.py").write_text("""
class Job:
    def run(self, config, channel):
        with open("/proc/self/oom_score_adj") as mine, open(__file__ + ".told", "w") as told:
            told.write(mine.read())
""")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = HELPER.replace("hanging_job", "telling_job")
        argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"]
        helper = subprocess.Popen([*argv, str(theirs.fileno())], pass_fds=(theirs.fileno(),))
        try:
            ours.sendall(encode(Settings(config.model_dump_json())))
            assert helper.wait(LIMIT_S) == 0
        finally:
            helper.kill()
            helper.wait()
    assert int((tmp_path / "telling_job.py.told").read_text()) == KILLED_FIRST
