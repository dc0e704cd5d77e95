"""The update as a whole, on a bench with told time: what an engineer, a bad version and a call make it do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import agent
from agent.update.bundle import BundleRefused
from tests.update.bench import BEGAN, NEW, Bench, Does

if TYPE_CHECKING:
    from pathlib import Path

BACK_WITHIN_S = 120.0


@pytest.fixture
def bench(memory: Path) -> Bench:
    return Bench(memory)


def test_a_good_version_is_taken_and_stays(bench: Bench) -> None:
    bundle = bench.bring()
    assert bench.update()
    assert bench.daemon.running == NEW
    assert bench.slots.in_use() == "b"
    assert bench.slots.on_trial() is None
    assert f"taken: version {NEW} is in use in slot b" in bench.outcomes
    assert not bundle.exists()
    assert bench.daemon.restarts == 2, "the first start, and one for the update"


def test_a_trial_that_nobody_watches_is_taken_back_before_anything_else_is_judged(bench: Bench) -> None:
    def power_cut(seconds: float) -> None:
        del seconds
        raise KeyboardInterrupt

    bundle, sleep = bench.bring(), bench.pass_time
    bench.pass_time = power_cut  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        bench.update()
    bench.pass_time = sleep  # type: ignore[method-assign]
    bench.pass_time(5)
    assert bench.daemon.running == NEW, "not settled, and not proven"
    assert bench.update()
    bench.pass_time(5)
    assert bench.daemon.running == agent.__version__
    assert bundle.exists()
    assert bench.outcomes == ""
    assert bench.update()
    assert bench.daemon.running == NEW


def test_a_daemon_that_still_runs_from_the_other_slot_is_restarted_first(bench: Bench) -> None:
    bench.bring("7.0.1")
    bench.update()
    bench.daemon.running = "7.0.0"  # the request after the way back from that one was missed
    bench.pass_time(2)
    bundle = bench.bring("7.0.2")
    assert bench.update()
    bench.pass_time(5)
    assert bench.daemon.running == "7.0.1"
    assert bundle.exists()
    assert bench.update()
    assert bench.daemon.running == "7.0.2"


def test_without_a_bundle_nothing_happens(bench: Bench) -> None:
    assert bench.update()
    assert bench.daemon.restarts == 1


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (Does.NEVER_STARTS, "it was not armed within 45 s"),
        (Does.HANGS, "it ended or hung after its start"),
        (Does.CRASHES, "it ended"),
        (Does.NO_LINK, "it did not reach the broker, which the old version did"),
        (Does.NO_CAMERA, "its recorder did not work, which the old version's did"),
    ],
)
def test_a_bad_version_goes_and_the_old_one_is_back_in_two_minutes(bench: Bench, does: Does, why: str) -> None:
    bench.bring(does=does)
    began_s = bench.now_s
    assert not bench.update()
    bench.pass_time(4)
    assert bench.daemon.running == agent.__version__
    assert bench.slots.in_use() == "a"
    assert bench.slots.on_trial() is None
    assert why in bench.outcomes
    assert bench.now_s - began_s + 20 <= BACK_WITHIN_S, "20 s to stop one version and start the other on a slow board"


def test_what_was_taken_back_is_not_tried_again_but_a_later_version_is(bench: Bench) -> None:
    bench.bring(does=Does.NEVER_STARTS)
    bench.update()
    bench.pass_time(5)
    bench.bring(does=Does.WORKS)  # the very same bundle
    restarts = bench.daemon.restarts
    assert bench.update()
    assert bench.daemon.restarts == restarts
    assert "was tried here and taken back, because it was not armed" in bench.outcomes
    bench.bring("7.0.1")
    assert bench.update()
    assert bench.daemon.running == "7.0.1"


def test_a_version_that_may_have_failed_by_chance_is_tried_once_more_and_no_more(bench: Bench) -> None:
    bundle = bench.bring(does=Does.NO_LINK)
    assert not bench.update()
    bench.pass_time(5)
    assert bundle.exists()
    assert "is in use, and this one is tried once more" in bench.outcomes
    assert not bench.update()
    bench.pass_time(5)
    assert not bundle.exists()
    assert bench.daemon.running == agent.__version__
    bench.bring(does=Does.NO_LINK)
    restarts = bench.daemon.restarts
    assert bench.update()
    assert bench.daemon.restarts == restarts


def test_the_broker_was_away_in_the_first_trial_and_is_there_in_the_second(bench: Bench) -> None:
    bench.bring(does=Does.NO_LINK)
    assert not bench.update()
    bench.pass_time(5)
    bench.behaviours[NEW] = Does.WORKS
    assert bench.update()
    assert bench.daemon.running == NEW


def test_while_a_call_is_open_the_update_waits_with_its_bundle(bench: Bench) -> None:
    bundle = bench.bring()
    bench.daemon.open_calls = 1
    bench.pass_time(2)
    assert bench.update()
    assert bench.daemon.restarts == 1
    assert bundle.exists()
    bench.daemon.open_calls = 0
    bench.pass_time(2)
    assert bench.update()
    assert bench.daemon.running == NEW


def test_a_call_that_comes_while_the_version_is_installed_is_not_cut_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, install = bench.bring(), bench._install

    def slowly(wheels: list[Path], slot: Path) -> None:
        install(wheels, slot)
        bench.daemon.open_calls = 1
        bench.pass_time(60)

    monkeypatch.setattr(bench, "_install", slowly)
    assert bench.update()
    assert bench.daemon.restarts == 1
    assert bundle.exists()


def test_a_daemon_that_does_not_live_holds_nothing_up(bench: Bench) -> None:
    bench.behaviours[agent.__version__] = Does.NEVER_STARTS
    bench.daemon.start()
    bench.pass_time(30)
    bench.bring()
    assert bench.update()
    assert bench.daemon.running == NEW


def test_of_several_the_newest_is_taken_and_the_others_are_told(bench: Bench) -> None:
    bench.bring("7.0.9")
    bench.bring("7.0.10")
    assert bench.update()
    assert bench.daemon.running == "7.0.10"
    assert "safepoint-7.0.9.update: passed over: safepoint-7.0.10.update is as new or newer" in bench.outcomes


def test_after_a_newer_version_there_is_no_way_back_to_an_older_one(bench: Bench) -> None:
    bench.bring("7.0.1")
    bench.update()
    bench.bring("6.0.0")
    assert bench.update()
    assert bench.daemon.running == "7.0.1"
    assert "version 6.0.0 is older than 7.0.1, which this unit has had: there is no way back" in bench.outcomes


def test_what_others_signed_is_refused_and_removed(bench: Bench) -> None:
    bundle = bench.bring(key=Ed25519PrivateKey.generate())
    assert bench.update()
    assert bench.daemon.restarts == 1
    assert "refused: nobody signed it whom this unit knows" in bench.outcomes
    assert not bundle.exists()


def test_a_damaged_wheel_is_refused_and_a_good_copy_of_it_is_taken(bench: Bench) -> None:
    bundle = bench.bring()
    content = bytearray(bundle.read_bytes())
    content[-1] ^= 1
    bundle.write_bytes(content)
    assert not bench.update()
    assert bench.daemon.restarts == 1
    assert "is damaged: bring it again" in bench.outcomes
    bench.bring()
    assert bench.update()
    assert bench.daemon.running == NEW


def test_a_copy_that_still_runs_is_waited_for_and_one_that_broke_off_is_refused(bench: Bench) -> None:
    bundle = bench.bring()
    content = bundle.read_bytes()
    bundle.write_bytes(content[:-1000])
    pass_time, waited = bench.pass_time, 0.0

    def copying(seconds: float) -> None:
        nonlocal waited
        pass_time(seconds)
        waited += seconds
        if waited == 10:
            bundle.write_bytes(content)

    bench.pass_time = copying  # type: ignore[method-assign]
    assert bench.update()
    assert bench.daemon.running == NEW
    bundle = bench.bring("7.0.1")
    bundle.write_bytes(bundle.read_bytes()[:-1000])
    os.utime(bundle, (bench.now_s + BEGAN, bench.now_s + BEGAN))
    waited = 100.0
    assert bench.update()
    assert waited > 150, "a minute without another byte"
    assert "refused: it ends too early: the copy broke off, bring it again" in bench.outcomes


def test_a_bundle_whose_trials_never_end_is_tried_twice_and_no_more(bench: Bench) -> None:
    def power_cut(seconds: float) -> None:
        del seconds
        raise KeyboardInterrupt

    bench.bring()
    sleep = bench.pass_time
    for _ in range(2):
        bench.pass_time = power_cut  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            bench.update()
        bench.pass_time = sleep  # type: ignore[method-assign]
        bench.slots.take_back()  # as settle-slot does
        bench.daemon.start()
        bench.pass_time(10)
    restarts = bench.daemon.restarts
    assert bench.update()
    assert bench.daemon.restarts == restarts
    assert "was tried 2 times here and never came to an end" in bench.outcomes


def test_a_unit_without_a_key_says_so(bench: Bench) -> None:
    bench.bring()
    (bench.places.keys / "release.pem").unlink()
    with pytest.raises(BundleRefused, match="this unit has no key to check updates with"):
        bench.update()


def test_the_outcomes_do_not_grow_for_ever(bench: Bench) -> None:
    for _ in range(120):
        bench.bring("0.0.1")
        bench.update()
    assert len(bench.outcomes.splitlines()) == 100
