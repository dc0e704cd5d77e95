"""`./dev arm64`: the agent on the processor of a Pi, in Debian bookworm (Python 3.11) and trixie (3.13), emulated.

For each: all packages resolve to wheels for aarch64, the agent installs from them alone, `safepoint check` takes each
profile and tries its voice model (so Vosk itself runs), `sign` and `doctor` do their work, every module loads, and a
second is filmed, stored and read back. Needs root and an index; the two base systems are kept in build/arm64. Exit code
77: this machine cannot.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from agent.config.load import profile_names
from tests.arm64.root import Broken, Impossible, root
from tests.arm64.wheels import wheels

SUITES: Final = {"bookworm": "311", "trixie": "313"}
SKIPPED: Final = 77
"""As automake and its kin have it."""
UNIT: Final = """\
profile: {profile}
unit: {{id: hk-001, org: ashfield, name: Central Walk, location: North end}}
uplink: {{broker: "mqtt://localhost", insecure_lab: true}}
signage: {{operator: A Council, contact: 01623 450000}}
state_folder: /state
"""
EXAMINE: Final = "mkdir /state; /opt/safepoint/bin/safepoint doctor --config /unit.yaml --json; [ $? -le 1 ]"
"""With findings it ends with 1: there is no systemd and no board in the root."""


def say(text: str) -> None:
    """Tell it now: the next step takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def check(suite: str) -> None:
    """Check one of them, and say what was found.

    Raises:
        Impossible: this machine cannot.
        Broken: something does not work.
    """
    began_s = time.monotonic()
    found = wheels(SUITES[suite])
    count = len(list(found.iterdir()))
    say(f"{suite}: {count} wheels for aarch64 and Python 3.{SUITES[suite][1:]} in {time.monotonic() - began_s:.0f} s")
    made = root(suite)
    shutil.copytree(found, made.folder / "wheels")
    began_s = time.monotonic()
    made.run("python3", "-m", "venv", "/opt/safepoint")
    pip = ("/opt/safepoint/bin/python", "-m", "pip", "--disable-pip-version-check")
    made.run(*pip, "install", "--quiet", "--no-compile", "--no-index", "--find-links=/wheels", "safepoint-agent")
    made.run(*pip, "check")
    version = made.run("/opt/safepoint/bin/safepoint", "--version").strip()
    say(f"{suite}: installed in {time.monotonic() - began_s:.0f} s: {version}")
    for profile in profile_names():
        (made.folder / "unit.yaml").write_text(UNIT.format(profile=profile), encoding="utf-8")
        say(f"{suite}: {made.run('/opt/safepoint/bin/safepoint', 'check', '/unit.yaml').strip()}")
    made.run("/opt/safepoint/bin/safepoint", "sign", "/unit.yaml", "--out", "/sign.html")
    found_by = json.loads(made.run("sh", "-c", EXAMINE))["findings"]
    kinds = ", ".join(sorted({each["kind"] for each in found_by}))
    say(f"{suite}: safepoint sign and doctor do their work; findings here: {kinds}")
    shutil.copy(Path(__file__).with_name("inside.py"), made.folder / "inside.py")
    told = json.loads(made.run("/opt/safepoint/bin/python", "/inside.py"))
    say(
        f"{suite}: {told['modules']} modules load; {told['frames']} frames filmed, stored and read back,"
        f" {told['bytes'] / 1000:.0f} kB, {told['cpu_s']} s of emulated CPU"
    )
    shutil.rmtree(made.folder)


def main() -> int:
    """Check what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", metavar="SUITE", nargs="*", help=f"{' or '.join(SUITES)}; none: both")
    suites = parser.parse_args().suites or list(SUITES)
    if strange := sorted({*suites} - {*SUITES}):
        parser.error(f"there is no {strange[0]}; there are {' and '.join(SUITES)}")
    try:
        for suite in suites:
            check(suite)
    except Impossible as impossible:
        sys.stderr.write(f"SKIPPED, NOTHING WAS PROVED FOR ARM64: {impossible}\n")
        return SKIPPED
    except Broken as broken:
        sys.stderr.write(f"arm64: {broken}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
