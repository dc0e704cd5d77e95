"""Two places for a certificate: whatever dies when, the one in use works."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.uplink.slots import GIVEN, Identity, Slots
from agent.uplink.tls import Tls
from fakes.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def slots(tmp_path: Path, authority: Authority) -> Slots:
    return Slots(tmp_path / "state/tls", given(authority))


def given(authority: Authority) -> Identity:
    issued = authority.issue_client("unit-a")
    return Identity(GIVEN, issued.ca_file, issued.cert_file, issued.key_file)


def put(slots: Slots, authority: Authority) -> Identity:
    issued = authority.issue_client("unit-a")
    return slots.put(issued.cert_file.read_bytes(), issued.key_file.read_bytes())


def test_without_a_renewal_the_files_of_the_configuration_are_in_use(slots: Slots) -> None:
    assert slots.active().name == GIVEN
    assert slots.candidate() is None
    assert [identity.name for identity in slots.in_order()] == [GIVEN]


def test_a_new_certificate_waits_beside_the_one_in_use_and_is_not_shown(slots: Slots, authority: Authority) -> None:
    candidate = put(slots, authority)
    assert slots.candidate() == candidate
    assert [identity.name for identity in slots.in_order()] == [GIVEN]
    assert candidate.key_file.stat().st_mode & 0o777 == 0o600


def test_after_the_turn_the_one_before_is_kept(slots: Slots, authority: Authority) -> None:
    slots.promote(put(slots, authority))
    assert [identity.name for identity in slots.in_order()] == ["a", GIVEN]
    slots.promote(put(slots, authority))
    assert [identity.name for identity in slots.in_order()] == ["b", "a", GIVEN]
    third = put(slots, authority)
    assert (third.name, [identity.name for identity in slots.in_order()]) == ("a", ["b", GIVEN])
    slots.promote(third)
    assert [identity.name for identity in slots.in_order()] == ["a", "b", GIVEN]
    assert slots.candidate() is None


def test_an_authority_that_comes_with_it_replaces_the_one_before_for_all(slots: Slots, authority: Authority) -> None:
    issued = authority.issue_client("unit-a")
    candidate = slots.put(issued.cert_file.read_bytes(), issued.key_file.read_bytes(), b"new authority")
    assert [identity.ca_file for identity in slots.in_order()] == [authority.ca_file], "not before its turn"
    slots.promote(candidate)
    first, second = slots.in_order()
    assert first.ca_file == second.ca_file == first.cert_file.with_name("ca.pem")
    assert second.cert_file == slots.given.cert_file


def test_a_replaced_authority_does_not_come_back_with_the_next_renewal(slots: Slots, authority: Authority) -> None:
    issued = authority.issue_client("unit-a")
    slots.promote(slots.put(issued.cert_file.read_bytes(), issued.key_file.read_bytes(), b"new authority"))
    slots.promote(put(slots, authority))
    trusted = [identity.ca_file for identity in slots.in_order()]
    assert [ca.read_bytes() for ca in trusted if ca is not None] == [b"new authority"] * 3


def test_what_does_not_wait_cannot_be_promoted(slots: Slots, authority: Authority) -> None:
    candidate = put(slots, authority)
    slots.promote(candidate)
    with pytest.raises(ValueError, match="does not wait"):
        slots.promote(candidate)


class PowerIsGone(BaseException):
    """Nothing after this happens."""


STEPS = ("open", "write", "fsync", "mkdir", "rename", "replace", "symlink", "unlink", "rmdir")


def cut_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let so many changes reach the disk and then no more."""
    left = [steps]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            if left[0] == 0:
                raise PowerIsGone
            left[0] -= 1
            return real(*args, **kwargs)

        return step

    for name in STEPS:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


def test_a_power_cut_at_any_step_leaves_certificates_that_work(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Slots(tmp_path / "first/tls", given(authority))
    first.promote(put(first, authority))
    first.promote(put(first, authority))
    issued = authority.issue_client("unit-a")
    cert, key = issued.cert_file.read_bytes(), issued.key_file.read_bytes()
    names = set()
    for steps in range(200):
        folder = tmp_path / f"cut-{steps}/tls"
        shutil.copytree(tmp_path / "first/tls", folder, symlinks=True)
        slots = Slots(folder, first.given)
        with monkeypatch.context() as power:
            cut_after(power, steps)
            try:
                slots.promote(slots.put(cert, key))
            except PowerIsGone:
                finished = False
            else:
                finished = True
        again = Slots(folder, first.given)
        look = Tls(again.in_order).look()
        assert look.unusable == {}, f"after {steps} steps"
        assert look.active.name == ("a" if finished else look.active.name)
        names.add((look.active.name, again.candidate() is not None))
        if finished:
            break
    else:
        pytest.fail("it never finished")
    assert {("b", False), ("b", True), ("a", False)} <= names, "before, waiting, and after the turn were all seen"
    assert Path(folder / "active").readlink() == Path("a")
