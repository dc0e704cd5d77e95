"""The tamper watch on streets that were never looked at while its numbers were chosen.

A small part of the corpus; `python -m tests.footage.tamper_corpus` runs as much of it as you like.
"""

from __future__ import annotations

import sys

from tests.footage.tamper_corpus import HELD_OUT, calm_run, table, tamper_run

RUNS = 60
"""Five of each of the twelve tampers: by day, at dusk, and at night with light, with little and with hardly any."""


def test_at_least_95_of_100_tampers_are_told_and_ended_within_20_s() -> None:
    results = [tamper_run(seed) for seed in range(HELD_OUT, HELD_OUT + RUNS)]
    sys.stdout.write(table(results))
    assert sum(result.good for result in results) >= 0.95 * RUNS, table(results)
    assert sum(result.named for result in results) >= 0.9 * RUNS, table(results)


def test_a_street_without_a_tamper_is_never_told_to_have_one() -> None:
    told = {seed: calm_run(seed, minutes=3) for seed in range(HELD_OUT, HELD_OUT + 8)}
    assert not any(told.values()), told
