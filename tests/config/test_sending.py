"""Waits that no unit may have, and what their author is told."""

from __future__ import annotations

import pytest

from tests.config.desk import LAB, Desk

WAITS = "uplink.resend_s"
HEARTBEAT = "unit.yaml:3: uplink.heartbeat_s: needs a number of seconds from 1 to 30"
KNOWN = "(a silent unit has to be known within 90 s)"
LATE = "unit.yaml:3: uplink.late_after_s: needs a number of seconds from 0.5 to 60"


def problems(desk: Desk, said: str) -> list[str]:
    return desk.problems(LAB.replace("insecure_lab: true", f"insecure_lab: true, {said}"))


@pytest.mark.parametrize(
    "said",
    [
        "heartbeat_s: 1",
        "heartbeat_s: 30",
        "resend_s: [0.5]",
        "resend_s: [10, 300]",
        "resend_s: [2, 2, 2, 2, 2, 2, 2, 2, 2, 300]",
        "late_after_s: 0.5",
        "late_after_s: 60",
        "capacity: 100000",
        "uploads: {give_up_after_s: 604800}",
    ],
)
def test_waits_within_their_bounds_are_taken(desk: Desk, said: str) -> None:
    assert problems(desk, said) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("heartbeat_s: 600", f"{HEARTBEAT} {KNOWN}, got 600"),
        ("heartbeat_s: 30.1", f"{HEARTBEAT} {KNOWN}, got 30.1"),
        ("heartbeat_s: 0.001", f"{HEARTBEAT} {KNOWN}, got 0.001"),
        ("heartbeat_s: soon", f"{HEARTBEAT} {KNOWN}, got soon (text)"),
        ("late_after_s: 1.0e+9", f"{LATE} (what left later than a minute after its event is late), got 1000000000.0"),
        (
            "resend_s: [86400]",
            (
                f"unit.yaml:3: {WAITS}[0]: needs a number of seconds from 0.5 to 300 "
                "(a call that nobody acknowledged has to come again), got 86400"
            ),
        ),
        (
            "resend_s: [60]",
            (
                f"unit.yaml:3: {WAITS}: waits 60 s before the first repetition: give at most 10 s first, "
                "a call that was lost on its way has to come again soon"
            ),
        ),
        (
            "resend_s: [5, 2]",
            f"unit.yaml:3: {WAITS}: has a wait that is shorter than the one before it: give them in rising order",
        ),
        ("resend_s: []", f"unit.yaml:3: {WAITS}: needs a list of 1 to 10 entries, got a list"),
        ("capacity: 10000000", "unit.yaml:3: uplink.capacity: needs a whole number from 100 to 100000, got 10000000"),
        (
            "uploads: {give_up_after_s: 1}",
            (
                "unit.yaml:3: uplink.uploads.give_up_after_s: needs a number of seconds from 60 to 604800 "
                "(no link to upload to lives longer than a week), got 1"
            ),
        ),
    ],
)
def test_waits_beyond_their_bounds_are_refused_in_one_sentence_that_says_why(desk: Desk, said: str, told: str) -> None:
    assert problems(desk, said) == [told]
