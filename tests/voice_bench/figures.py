"""From runs to figures: who is judged at which threshold, and what comes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import ceil, floor
from typing import TYPE_CHECKING

from tests.voice_bench.engines import NAIVE, OURS, SPHINX, VERIFIED
from tests.voice_bench.hits import best_shares, incidents, judge, loud_enough, poisson_interval
from tests.voice_bench.plans import CONDITIONS, IN_SENTENCE, IN_TALK, PEOPLE_TALK, RHYME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tests.voice_bench.hits import Judged, Threshold
    from tests.voice_bench.runs import Run

ALLOWED_PER_HOUR = 0.1
"""The aim for false activations: PocketSphinx is given thresholds that just keep it on this very talk."""
CURVE_POINTS = 150
EVERYTHING = float("-inf")
APART = {PEOPLE_TALK, RHYME}
"""Talk that is shown for itself and counted in no sum."""
NOT_ONCE = {IN_SENTENCE.name, IN_TALK.name, *(condition.name for condition in CONDITIONS if condition.twice)}
"""Where the end of the phrase that was heard is not known."""
SPHINX_AIM, SPHINX_EQUAL = "PocketSphinx, at the aim", "PocketSphinx, as often set off as ours"
TITLES = {OURS: "ours", VERIFIED: "ours, verified", NAIVE: "naive Vosk"}


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    def __str__(self) -> str:
        return f"{self.part}/{self.whole} ({100 * self.part / self.whole:.1f} %)" if self.whole else "-"


@dataclass(frozen=True)
class Rate:
    """Rare events in some hours."""

    events: int
    hours: float

    def __str__(self) -> str:
        if not self.hours:
            return "-"
        low, high = poisson_interval(self.events)
        digits = 2 if high < 10 * self.hours else 0
        rate, least, most = (f"{events / self.hours:.{digits}f}" for events in (self.events, low, high))
        return f"{rate} ({least} to {most}), n={self.events}"


@dataclass(frozen=True)
class Contender:
    """An engine at an operating point, with one set of phrases."""

    engine: str
    title: str
    threshold: Threshold
    runs: tuple[Run, ...]

    def judged(self, place: str = "", voices: str = "", bed: str = "") -> list[Judged]:
        """Its tapes of calls, told apart."""
        return [
            judge(run.calls, loud_enough(run.hits, self.threshold))
            for run in self.runs
            if run.voices and place in {"", run.place} and voices in {"", run.voices} and bed in {"", run.bed}
        ]

    def recall(self, place: str = "", voices: str = "", bed: str = "") -> Share:
        """Calls that were heard as what they were."""
        return recall(self.judged(place, voices, bed))

    def of_calls(self, key: str, value: str, place: str = "") -> Share:
        """The same for the calls whose `key`, "who" or "label", is this."""
        judged = self.judged(place)
        caught = sum(getattr(call, key) == value for each in judged for call, _ in each.caught)
        return Share(caught, caught + sum(getattr(call, key) == value for each in judged for call in each.missed))

    def wrong(self) -> Share:
        """Calls' times at which another phrase was heard."""
        judged = self.judged()
        return Share(sum(len(each.wrong) for each in judged), recall(judged).whole)

    def false_between_calls(self) -> Rate:
        """False activations on the tapes of calls."""
        hours = sum(run.length_s for run in self.runs if run.voices) / 3600
        return Rate(sum(len(each.false) for each in self.judged()), hours)

    def _talk(self, place: str, talkers: str = "", *, shared: bool = True) -> list[Run]:
        runs = [run for run in self.runs if not run.voices and talkers in {"", run.talkers} and run.shared >= shared]
        return [run for run in runs if run.place == place] if place else [r for r in runs if r.place not in APART]

    def false(self, place: str = "", label: str = "", talkers: str = "", *, shared: bool = True) -> Rate:
        """False activations in talk, all but what counts apart unless it is asked for.

        Args:
            place: In this kind of talk.
            label: As this phrase.
            talkers: By this kind of voice.
            shared: Only in the talk that every engine heard.
        """
        runs = self._talk(place, talkers, shared=shared)
        hits = [hit for run in runs for hit in incidents(loud_enough(run.hits, self.threshold))]
        return Rate(sum(label in {"", hit.label} for hit in hits), sum(run.length_s for run in runs) / 3600)

    def cpu_s_per_hour(self, place: str) -> float | None:
        """Of this kind of talk, which every engine heard; None if none was."""
        runs = self._talk(place)
        return sum(run.cpu_s for run in runs) * 3600 / sum(run.length_s for run in runs) if runs else None

    def latency_s(self, share: float) -> float:
        """From the true end of a call to its decision with the computing of that block: so many wait no longer.

        Of calls that were heard, synthetic ones, said once: where a phrase ends in people's recordings, or within a
        sentence, is not known.
        """
        alone = replace(self, runs=tuple(run for run in self.runs if run.place not in NOT_ONCE))
        waits = [hit.decided_s + hit.computed_s - call.end_s for each in alone.judged() for call, hit in each.caught]
        return percentile(sorted(waits), share)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that so many are not above."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def recall(judged: Iterable[Judged]) -> Share:
    """Calls caught, of all."""
    judged = list(judged)
    caught = sum(len(each.caught) for each in judged)
    return Share(caught, caught + sum(len(each.missed) for each in judged))


def only(run: Run, labels: Collection[str]) -> Run:
    """As if nothing but these phrases were called and listened for."""
    calls = tuple(call for call in run.calls if call.label in labels)
    return replace(run, calls=calls, hits=tuple(hit for hit in run.hits if hit.label in labels))


def contenders(runs: Sequence[Run], phrases: str) -> list[Contender]:
    """All that listened for these phrases, PocketSphinx with a threshold for each at two operating points."""
    of = {
        name: tuple(run for run in runs if run.engine == name and run.phrases == phrases) for name in (*TITLES, SPHINX)
    }
    found = [Contender(name, TITLES[name], EVERYTHING, of[name]) for name in TITLES if of[name]]
    if of[SPHINX]:
        hours = Contender(SPHINX, "", EVERYTHING, of[SPHINX]).false().hours
        allowed = {SPHINX_AIM: floor(ALLOWED_PER_HOUR * hours)}
        if of[OURS]:
            allowed[SPHINX_EQUAL] = Contender(OURS, "", EVERYTHING, of[OURS]).false().events
        for title, events in allowed.items():
            found.append(Contender(SPHINX, title, sphinx_thresholds(of[SPHINX], events), of[SPHINX]))
    return found


def labels_of(runs: Iterable[Run]) -> list[str]:
    """All that were said or heard."""
    return sorted({label for run in runs for each in (run.calls, run.hits) for label in (one.label for one in each)})


def sphinx_thresholds(runs: Sequence[Run], allowed: int) -> dict[str, float]:
    """The best for each label with so many false activations in all, picked on this very talk and these calls."""
    talk = [run for run in runs if not run.voices and run.place not in APART]
    labels = labels_of(runs)
    false = [hit for run in talk for hit in incidents(run.hits)]
    by_label = {label: [hit.score for hit in false if hit.label == label] for label in labels}

    def caught(label: str, threshold: float) -> int:
        return sum(
            call.label == label for run in runs for call, _ in judge(run.calls, loud_enough(run.hits, threshold)).caught
        )

    counts = {label: partial(caught, label) for label in labels}
    return best_shares(counts, by_label, allowed)


def curve(runs: Sequence[Run], place: str, voices: str) -> list[tuple[float, float]]:
    """False activations per hour and the share of misses in this condition, from the strictest threshold on.

    Empty where no talk was heard.
    """
    talk = [run for run in runs if not run.voices and run.place not in APART and run.shared]
    calls = [run for run in runs if run.voices == voices and run.place == place]
    hours = sum(run.length_s for run in talk) / 3600
    if not hours:
        return []
    scores = sorted({hit.score for run in (*calls, *talk) for hit in run.hits}, reverse=True)
    points = []
    for threshold in scores[:: max(1, len(scores) // CURVE_POINTS)]:
        false = sum(len(incidents(loud_enough(run.hits, threshold))) for run in talk)
        share = recall(judge(run.calls, loud_enough(run.hits, threshold)) for run in calls)
        points.append((false / hours, 1 - share.part / max(1, share.whole)))
    return points
