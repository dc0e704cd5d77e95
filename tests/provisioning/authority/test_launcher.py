"""The command as it stands in the folder, at a terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.provisioning.authority.pilot import ORG, ROOT_WORDS

COMMAND = Path(__file__).parents[3] / "provisioning" / "authority" / "authority"


def test_the_terminal_asks_twice_for_a_new_passphrase_and_does_not_show_it(tmp_path: Path) -> None:
    command = shlex.join([str(COMMAND), "root", "new", "--org", ORG, "--folder", str(tmp_path / "root")])
    with subprocess.Popen(
        ["script", "-qec", command, "/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env=os.environ | {"PYTHON": sys.executable},
    ) as terminal:
        assert terminal.stdin
        assert terminal.stdout
        shown = b""
        for prompt in (b"Passphrase of the root's key: ", b"The same again: "):
            while not shown.endswith(prompt):  # what is typed before is thrown away
                read = terminal.stdout.read(1)
                assert read, shown
                shown += read
            terminal.stdin.write(ROOT_WORDS.encode() + b"\n")
            terminal.stdin.flush()
        shown += terminal.stdout.read()
    assert terminal.returncode == 0, shown
    assert b"Read out at the office: " in shown
    assert ROOT_WORDS.encode() not in shown
    assert {file.name for file in (tmp_path / "root").iterdir()} == {"root.key", "root.crt", "register.jsonl"}
