"""The program as a unit has it: outside of the slots, run by the system's own Python, at its own pace."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.software.__main__ import main
from agent.software.found import FOUND, Found, State
from agent.software.listing import Pace, contents
from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMD = Path(__file__).parents[2] / "systemd"


class Root:
    """Root, with a slot that he filled."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slot = folder, folder / "slots/a"
        for name in ("slots/a/lib", "keys", "state"):
            (folder / name).mkdir(parents=True)
        (folder / "slots/current").symlink_to("a")
        (self.slot / "lib/code.py").write_text("print(1)\n")
        self.lists()

    def lists(self) -> None:
        """As provision.sh does when it has filled a slot."""
        assert main(["--state", str(self.folder / "state"), "list", str(self.slot)]) == 0

    def looks(self, *more: str) -> Found:
        """As the timer does."""
        assert main([*self.words, *more]) == 0
        found = Found.read(self.folder / "state" / FOUND.name)
        assert found is not None
        return found

    @property
    def words(self) -> Sequence[str]:
        places = ["--slots", str(self.folder / "slots"), "--keys", str(self.folder / "keys")]
        return ["--state", str(self.folder / "state"), "look", *places]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def test_what_is_found_is_told_and_what_is_right_again_too(root: Root) -> None:
    assert root.looks().state is State.RIGHT
    (root.slot / "lib/code.py").write_text("print(2)\n")
    found = root.looks()
    assert (found.state, found.slot, found.wrong) == (State.CHANGED, "a", ("changed lib/code.py",))
    (root.slot / "lib/code.py").write_text("print(1)\n")
    assert root.looks().state is State.RIGHT


def test_a_good_look_lasts_for_its_time_and_a_bad_one_is_done_again(root: Root) -> None:
    lately = ("--unless-right-within-h", "23")
    root.looks(*lately)
    (root.slot / "lib/code.py").write_text("print(2)\n")
    assert root.looks(*lately).state is State.RIGHT, "that was looked at lately"
    assert root.looks().state is State.CHANGED
    (root.slot / "lib/code.py").write_text("print(1)\n")
    assert root.looks(*lately).state is State.RIGHT, "what was wrong is looked at again, however lately it was"


def test_another_filling_of_the_slot_is_looked_at_at_once(root: Root) -> None:
    before = root.looks("--unless-right-within-h", "23")
    (root.slot / "lib/code.py").write_text("print(3)\n")
    root.lists()
    after = root.looks("--unless-right-within-h", "23")
    assert (after.state, after.listed != before.listed) == (State.RIGHT, True)


def test_a_version_on_trial_is_not_looked_at(root: Root) -> None:
    before = root.looks()
    (root.folder / "slots/trial").write_text("b\n")
    assert root.looks() == before


def test_a_damaged_file_of_an_earlier_look_is_as_none(root: Root) -> None:
    (root.folder / "state" / FOUND.name).write_text('{"state": "right"}')
    assert Found.read(root.folder / "state" / FOUND.name) is None
    assert root.looks("--unless-right-within-h", "23").state is State.RIGHT


def test_the_card_is_read_no_faster_than_it_may_be(root: Root) -> None:
    (root.slot / "lib/large.so").write_bytes(bytes(4_000_000))
    waited: list[float] = []
    contents(root.slot, Pace(1e6, waited.append))
    assert 3.5 < sum(waited) <= 4.1


def test_the_program_that_provisioning_puts_down_runs_on_the_systems_python_alone(root: Root) -> None:
    put = f'PREFIX={root.folder}/opt; put_file() {{ mkdir -p "$(dirname "$3")"; cat >"$3"; }}; put_checker'
    assert call(root.folder, put).returncode == 0
    check = root.folder / "opt/check"
    service = (SYSTEMD / "safepoint-software.service").read_text(encoding="utf-8")
    argv = next(line for line in service.splitlines() if line.startswith("ExecStart=")).partition("=")[2].split()
    assert argv[-6:] == ["/opt/safepoint/check", "look", "--unless-right-within-h", "23", "--mb-per-s", "8"]
    argv = [*argv[: argv.index("/opt/safepoint/check")], str(check), *root.words, *argv[-4:]]
    nowhere = root.folder / "nowhere"
    nowhere.mkdir()
    shutil.copy(root.slot / "lib/code.py", nowhere / "json.py")  # what lies about is not what is loaded
    told = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=nowhere)
    assert (told.returncode, told.stdout) == (0, ""), told.stderr
    assert told.stderr.startswith("slot a: right, ")
    assert json.loads((root.folder / "state" / FOUND.name).read_text())["state"] == "right"
