"""What is changed in a slot is found, by whatever way; what is right is right. On a slot that pip filled."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.software.found import Found, State
from agent.software.listing import LIST, write_list
from agent.software.look import PROVISIONED, Notes
from agent.software.release import BUNDLE, digest_of, release_of
from agent.software.signed import RECORDS
from agent.update.install import InstallFailed
from tests.software.workshop import SITE, WHEEL, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = f"{SITE}/agent/software/look.py"
COMPILED = str(Path(importlib.util.cache_from_source(CODE)))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """As an update leaves it. Tests put back what they change: to fill it takes seconds."""
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    workshop.install()
    workshop.record()
    return workshop


@pytest.fixture
def workshop(filled: Workshop) -> Iterator[Workshop]:
    """Right before and after each story, and nothing noted yet."""
    filled.notes.unlink(missing_ok=True)
    yield filled
    filled.trust(filled.key)
    filled.notes.unlink(missing_ok=True)
    assert filled.look().state is State.RIGHT, "the story has put all back"


def flip(path: Path) -> None:
    """Turn one bit in the middle of a file and leave its time as it was."""
    times, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_an_update_filled_is_right_and_signed_and_named(workshop: Workshop) -> None:
    found = workshop.look()
    assert (found.state, found.wrong, found.signed, found.why) == (State.RIGHT, (), True, "")
    assert found.files > 20
    assert release_of(workshop.slot) == f"manifest {digest_of(workshop.head())[:12]}"


def test_one_bit_of_a_file_is_found_and_right_again_when_it_is_put_back(workshop: Workshop) -> None:
    with workshop.kept(CODE):
        flip(workshop.slot / CODE)
        found = workshop.look()
        assert (found.state, found.wrong, found.wrong_count) == (State.CHANGED, (f"changed {CODE}",), 1)
    assert workshop.look().state is State.RIGHT


def test_compiled_code_that_does_something_else_is_found_though_its_source_is_as_it_was(workshop: Workshop) -> None:
    compiled = workshop.slot / COMPILED
    with workshop.kept(COMPILED):
        header = compiled.read_bytes()[:16]  # the time and size of the source, which Python goes by
        compiled.write_bytes(header + marshal.dumps(compile("print('evil')", "look.py", "exec")))
        assert workshop.look().wrong == (f"changed {COMPILED}",)


@pytest.mark.parametrize("name", [f"{SITE}/evil.pth", f"{SITE}/sitecustomize.py", f"{SITE}/agent/software/new.so"])
def test_a_file_that_was_not_there_is_found(workshop: Workshop, name: str) -> None:
    with workshop.kept(name):
        (workshop.slot / name).write_text("import os\n")
        assert workshop.look().wrong == (f"added {name}",)


def test_a_file_that_is_gone_is_found(workshop: Workshop) -> None:
    with workshop.kept(CODE):
        (workshop.slot / CODE).unlink()
        assert workshop.look().wrong == (f"missing {CODE}",)


def test_another_python_behind_the_link_is_found(workshop: Workshop) -> None:
    link = workshop.slot / "bin/python"
    before = link.readlink()
    link.unlink()
    link.symlink_to("/tmp/python")  # noqa: S108 - it is not there
    try:
        assert workshop.look().wrong == ("changed bin/python",)
    finally:
        link.unlink()
        link.symlink_to(before)


def test_code_comes_first_of_many_and_only_some_are_named(workshop: Workshop) -> None:
    names = [f"{SITE}/a{number}.txt" for number in range(30)]
    with workshop.kept(CODE, *names):
        flip(workshop.slot / CODE)
        for name in names:
            (workshop.slot / name).touch()
        found = workshop.look()
    assert (found.wrong[0], len(found.wrong), found.wrong_count) == (f"changed {CODE}", 20, 31)


def test_a_list_that_was_made_to_fit_does_not_hide_a_file_of_a_wheel_from_the_signature(workshop: Workshop) -> None:
    with workshop.kept(CODE, LIST):
        flip(workshop.slot / CODE)
        write_list(workshop.slot)
        assert workshop.look().wrong == (f"changed {CODE}",)


def test_nor_does_a_record_that_was_made_to_fit_as_well(workshop: Workshop) -> None:
    name = f"{RECORDS}/{WHEEL}"
    with workshop.kept(CODE, LIST, name):
        flip(workshop.slot / CODE)
        flip(workshop.slot / name)
        write_list(workshop.slot)
        found = workshop.look()
    assert (found.state, found.why) == (State.CHANGED, f"the RECORD of {WHEEL} is not the one that was signed")


def test_nor_does_a_manifest_that_nobody_signed(workshop: Workshop) -> None:
    with workshop.kept(LIST, BUNDLE):
        head = (workshop.slot / BUNDLE).read_bytes()
        (workshop.slot / BUNDLE).write_bytes(head.replace(b'"minimum":"0.0.0"', b'"minimum":"0.0.1"'))
        write_list(workshop.slot)
        found = workshop.look()
    assert found.state is State.CHANGED
    assert "has signed the bundle that it came from" in found.why


def test_nor_does_a_signature_that_is_none(workshop: Workshop) -> None:
    with workshop.kept(LIST, BUNDLE):
        magic, _, manifest = (workshop.slot / BUNDLE).read_bytes().splitlines(keepends=True)
        (workshop.slot / BUNDLE).write_bytes(magic + b"!\n" + manifest)
        write_list(workshop.slot)
        found = workshop.look()
    assert (found.state, found.why) == (State.CHANGED, "the signature of its bundle is damaged")


def test_whoever_chooses_a_name_to_make_the_look_stumble_is_found(workshop: Workshop, tmp_path: Path) -> None:
    odd = [os.fsdecode(b"evil\xff.pth"), "two\nlines.py", "\u202egnp.py", "x" * 250]
    with workshop.kept(*odd):
        for name in odd:
            (workshop.slot / name).touch()
        found = workshop.look()
    assert (found.state, found.wrong_count) == (State.CHANGED, 4)
    assert all(word.isprintable() and word.isascii() and len(word) <= 200 for word in found.wrong)
    found.write(tmp_path / "found.json")
    assert Found.read(tmp_path / "found.json") == found


def test_what_is_too_deep_to_be_looked_at_is_no_right_slot(workshop: Workshop) -> None:
    top = workshop.slot / "d"
    subprocess.run(["mkdir", "-p", "/".join(["d"] * 1500)], cwd=workshop.slot, check=True)
    try:
        assert workshop.look().state is State.UNREADABLE
    finally:
        subprocess.run(["rm", "-r", str(top)], check=True)


def test_what_no_signature_knows_is_held_by_roots_note_of_the_first_look(workshop: Workshop) -> None:
    assert workshop.look().state is State.RIGHT
    with workshop.kept(COMPILED, LIST):
        flip(workshop.slot / COMPILED)
        write_list(workshop.slot)
        found = workshop.look()
        assert (found.state, found.why) == (State.CHANGED, "its list is not the one that was noted when it was new")
        assert workshop.look().state is State.CHANGED, "what is wrong is not noted"


def test_a_key_that_was_exchanged_since_makes_nothing_wrong(workshop: Workshop) -> None:
    assert workshop.look().state is State.RIGHT
    workshop.trust(Ed25519PrivateKey.generate())
    assert workshop.look().state is State.RIGHT
    workshop.notes.unlink()
    assert workshop.look().state is State.CHANGED, "a slot that was never looked at needs a key that is trusted now"


def test_what_provisioning_filled_is_right_by_roots_note_and_by_nothing_else(workshop: Workshop) -> None:
    signed = [LIST, BUNDLE, f"{RECORDS}/{WHEEL}"]
    with workshop.kept(*signed, CODE):
        for name in signed:
            (workshop.slot / name).unlink()
        assert workshop.look().why == "it has no list"
        write_list(workshop.slot)
        found = workshop.look()
        assert (found.state, found.why) == (State.UNLISTED, "nobody vouches for its list")
        Notes(workshop.notes).note(workshop.slot, PROVISIONED, found_list(workshop))
        found = workshop.look()
        assert (found.state, found.signed) == (State.RIGHT, False)
        flip(workshop.slot / CODE)
        write_list(workshop.slot)
        assert workshop.look().state is State.CHANGED


def found_list(workshop: Workshop) -> str:
    told = subprocess.run(["sha256sum", workshop.slot / LIST], check=True, capture_output=True, text=True)
    return told.stdout.split()[0]


def test_a_slot_whose_list_says_nothing_is_no_right_one(workshop: Workshop) -> None:
    with workshop.kept(LIST):
        (workshop.slot / LIST).write_text("nonsense\n")
        assert workshop.look().state is State.UNLISTED


def test_an_engineer_can_look_with_a_tool_of_any_system(workshop: Workshop) -> None:
    argv = ["sha256sum", "--check", "--quiet", LIST]
    assert subprocess.run(argv, cwd=workshop.slot, capture_output=True, check=False).returncode == 0
    with workshop.kept(CODE):
        flip(workshop.slot / CODE)
        told = subprocess.run(argv, cwd=workshop.slot, capture_output=True, check=False, text=True)
        assert told.stdout == f"{CODE}: FAILED\n"


def test_a_slot_that_is_not_what_was_signed_is_never_taken_into_use(workshop: Workshop) -> None:
    with workshop.kept(CODE, LIST, BUNDLE, f"{RECORDS}/{WHEEL}"):
        flip(workshop.slot / CODE)
        for name in (LIST, BUNDLE, f"{RECORDS}/{WHEEL}"):
            (workshop.slot / name).unlink()
        (workshop.slot / RECORDS).rmdir()
        with pytest.raises(InstallFailed, match=f"what was installed is not what was signed: {CODE}"):
            workshop.record()
