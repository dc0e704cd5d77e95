"""What an engine says about a tape, and how that compares with the truth. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, lgamma, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.voice_bench.tape import Call

LATE_S = 2.0
"""A detection may end so long after the true end of a call and be of it."""
SAME_AGAIN_S = 5.0
"""False activations of one phrase within this time are one: the refractory time of the unit, granted to everybody."""


@dataclass(frozen=True)
class Hit:
    """An engine says that a phrase was said."""

    label: str
    ended_s: float
    """When the phrase ended, as the engine thinks."""
    decided_s: float
    """The end of the block with which it said so."""
    score: float
    """How sure; only the order of one engine's scores means something."""
    computed_s: float = 0.0
    """CPU time of that block."""


@dataclass
class Judged:
    """The calls and hits of one tape, told apart."""

    caught: list[tuple[Call, Hit]] = field(default_factory=list)
    missed: list[Call] = field(default_factory=list)
    wrong: list[Hit] = field(default_factory=list)
    """Another phrase than the one that was said then."""
    false: list[Hit] = field(default_factory=list)
    """Nothing was said then."""


Threshold = float | dict[str, float]
"""The least score that counts: one for all, or one for each label."""


def loud_enough(hits: Iterable[Hit], threshold: Threshold) -> list[Hit]:
    """The hits that count."""
    if isinstance(threshold, dict):
        return [hit for hit in hits if hit.score >= threshold[hit.label]]
    return [hit for hit in hits if hit.score >= threshold]


def judge(calls: Sequence[Call], hits: Sequence[Hit]) -> Judged:
    """Match hits with calls. The first right one catches a call; the same phrase once more there is no matter."""
    judged = Judged()
    caught: set[Call] = set()
    for hit in sorted(hits, key=lambda hit: hit.decided_s):
        then = [call for call in calls if call.end_s - call.early_s <= hit.ended_s <= call.end_s + LATE_S]
        right = [call for call in then if call.label == hit.label]
        if right:
            judged.caught += [(call, hit) for call in right if call not in caught]
            caught.update(right)
        elif then:
            judged.wrong.append(hit)
        else:
            judged.false.append(hit)
    judged.missed = [call for call in calls if call not in caught]
    judged.wrong, judged.false = incidents(judged.wrong), incidents(judged.false)
    return judged


def incidents(hits: Iterable[Hit]) -> list[Hit]:
    """Each burst of one label once, as sure as its surest; a later hit within the refractory time belongs to it."""
    found: list[Hit] = []
    last: dict[str, int] = {}
    for hit in sorted(hits, key=lambda hit: hit.ended_s):
        index = last.get(hit.label)
        if index is None or hit.ended_s - found[index].ended_s >= SAME_AGAIN_S:
            last[hit.label] = len(found)
            found.append(hit)
        elif hit.score > found[index].score:
            found[index] = Hit(hit.label, found[index].ended_s, hit.decided_s, hit.score)
    return found


def threshold_for(scores: Iterable[float], allowed: int) -> float:
    """The lowest threshold at which at most `allowed` of these scores count."""
    ordered = sorted(scores, reverse=True)
    if len(ordered) <= allowed:
        return float("-inf")
    return ordered[allowed] + 1e-9 * max(1.0, abs(ordered[allowed]))


def best_shares(
    caught: Mapping[str, Callable[[float], int]], false: Mapping[str, list[float]], allowed: int
) -> dict[str, float]:
    """The threshold of each label that together catch most, with at most `allowed` false activations in all.

    Args:
        caught: For each label, how many calls are caught at a threshold.
        false: For each label, the scores of its false activations.
        allowed: In all.
    """
    best: dict[int, tuple[int, dict[str, float]]] = {0: (0, {})}
    for label, count in caught.items():
        after: dict[int, tuple[int, dict[str, float]]] = {}
        for used, (so_far, chosen) in best.items():
            for share in range(allowed - used + 1):
                threshold = threshold_for(false[label], share)
                total = so_far + count(threshold)
                if total > after.get(used + share, (-1, {}))[0]:
                    after[used + share] = total, chosen | {label: threshold}
        best = after
    return max(best.values(), key=lambda each: each[0])[1]


def poisson_interval(events: int, level: float = 0.95) -> tuple[float, float]:
    """The exact (Garwood) interval of the mean of a Poisson count: each end leaves out half of the rest."""
    tail = (1 - level) / 2
    low = _mean_where(lambda mean: 1 - _at_most(events - 1, mean), tail) if events else 0.0
    return low, _mean_where(lambda mean: -_at_most(events, mean), -tail)


def _at_most(events: int, mean: float) -> float:
    """The probability of so many or fewer."""
    if mean <= 0:
        return 1.0
    return sum(exp(count * log(mean) - mean - lgamma(count + 1)) for count in range(events + 1))


def _mean_where(rising: Callable[[float], float], value: float) -> float:
    low, high = 0.0, 10.0
    while rising(high) < value:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2
