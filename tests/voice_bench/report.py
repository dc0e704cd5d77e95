"""The tables, for the terminal and for the README."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tests.voice_bench.cast import FORMANT, READERS, RECORDED
from tests.voice_bench.engines import NAIVE, OURS
from tests.voice_bench.figures import Contender, contenders, labels_of, only
from tests.voice_bench.phrase_sets import HELD_OUT, PEOPLE, SHIPPED, phrase_set
from tests.voice_bench.plans import (
    CONDITIONS,
    CURVE_CONDITION,
    IN_SENTENCE,
    IN_TALK,
    KINDS,
    ORDINARY,
    PEOPLE_TALK,
    RHYME,
    SPOKEN,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.voice_bench.runs import Run

    Row = tuple[str, str, Callable[[Contender], object]]

SETS = {
    SHIPPED: "the phrases of the safe-point profile that count once",
    HELD_OUT: "four phrases that no training text says",
    PEOPLE: "people's recordings",
}
VOICES = {RECORDED: "flite and festival", READERS: "readers", FORMANT: "espeak-ng"}
AIMS = {"quiet room": "99 %", "10 dB SNR": "97 %", "5 dB SNR": "90 %"}


@dataclass(frozen=True)
class Part:
    """A table: a title, who is compared, and rows of a name, an aim and a cell for each of them."""

    title: str
    who: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]

    def rich(self) -> Table:
        """For the terminal."""
        table = Table("", "aim", *self.who, title=self.title, title_justify="left")
        for name, aim, cells in self.rows:
            table.add_row(name, aim, *cells)
        return table

    def markdown(self) -> str:
        """For the README."""
        lines = [f"| {self.title} | aim | {' | '.join(self.who)} |", f"|---|---|{'---|' * len(self.who)}"]
        lines += [f"| {name} | {aim} | {' | '.join(cells)} |" for name, aim, cells in self.rows]
        return "\n".join(lines) + "\n"


def _part(title: str, who: Sequence[Contender], rows: Sequence[Row]) -> Part:
    cells = tuple((name, aim, tuple(str(cell(each)) for each in who)) for name, aim, cell in rows)
    return Part(title, tuple(each.title for each in who), cells)


def parts(runs: Sequence[Run], costs: dict[str, Any]) -> Iterator[Part]:
    """All tables; of the phrases that count once, since what the unit wants to hear twice others take at once."""
    for phrases in (SHIPPED, HELD_OUT):
        of_set = [only(run, phrase_set(phrases).once) for run in runs if run.phrases == phrases]
        who = contenders(of_set, phrases)
        yield _heard(phrases, who)
        yield _false(phrases, who)
        if phrases == SHIPPED:
            yield _alone(who)
            yield _split(who)
            yield _costs(who, costs)
    yield _twice(runs)
    if any(run.phrases == PEOPLE for run in runs):
        yield _people(runs)


def _heard(phrases: str, who: Sequence[Contender]) -> Part:
    rows: list[Row] = [
        (
            f"{VOICES[voices]}, {condition.name}",
            AIMS.get(condition.name, "") if voices != FORMANT else "",
            partial(Contender.recall, place=condition.name, voices=voices),
        )
        for voices in VOICES
        for condition in (*CONDITIONS, *((IN_SENTENCE, IN_TALK) if phrases == SHIPPED else ()))
    ]
    rows.append(("another phrase than the one said", "", lambda each: each.wrong()))
    rows.append(("false activations between these calls, per hour", "", lambda each: each.false_between_calls()))
    return _part(f"Calls heard: {SETS[phrases]}", who, rows)


def _false(phrases: str, who: Sequence[Contender]) -> Part:
    labels = labels_of(run for each in who for run in each.runs)
    rows: list[Row] = [("all", "<= 0.1", lambda each: each.false())]
    for kind in KINDS:
        rows.append((kind, "", partial(Contender.false, place=kind)))
        if kind in SPOKEN:
            rows += [
                (f"... by {title}", "", partial(Contender.false, place=kind, talkers=voices))
                for voices, title in VOICES.items()
            ]
    rows += [(f"as {label}", "", partial(Contender.false, label=label)) for label in labels]
    rows.append(("rhymes (besides)", "", partial(Contender.false, place=RHYME)))
    if any(run.place == PEOPLE_TALK for each in who for run in each.runs):
        rows.append(("people's recordings (besides)", "<= 0.2", lambda each: each.false(PEOPLE_TALK)))
    return _part(f"False activations per hour (95 % interval) in what all heard: {SETS[phrases]}", who, rows)


def _alone(who: Sequence[Contender]) -> Part:
    """What only ours heard, with the rest: the others' hours are too few for rare events."""
    rows: list[Row] = [("all", "<= 0.1", partial(Contender.false, shared=False))]
    for kind in KINDS:
        rows.append((kind, "", partial(Contender.false, place=kind, shared=False)))
        if kind in SPOKEN:
            rows += [
                (f"... by {title}", "", partial(Contender.false, place=kind, talkers=voices, shared=False))
                for voices, title in VOICES.items()
            ]
    rows.append(("rhymes (besides)", "", partial(Contender.false, place=RHYME, shared=False)))
    ours = [each for each in who if each.engine == OURS]
    return _part("False activations per hour (95 % interval) in all talk", ours, rows)


def _split(who: Sequence[Contender]) -> Part:
    """Where the misses are."""
    runs = [run for each in who for run in each.runs]
    calls = [call for run in runs for call in run.calls]
    place = CURVE_CONDITION.name
    rows: list[Row] = [
        (voice, "", partial(Contender.of_calls, key="who", value=voice, place=place))
        for voice in sorted({call.who for call in calls})
    ]
    rows += [
        (label, "", partial(Contender.of_calls, key="label", value=label, place=place))
        for label in sorted({call.label for call in calls})
    ]
    rows += [
        (f"in {bed}", "", partial(Contender.recall, place=place, bed=bed))
        for bed in sorted({run.bed for run in runs if run.bed})
    ]
    return _part(f"Calls heard at {place}, by voice, phrase and noise", who, rows)


def _twice(runs: Sequence[Run]) -> Part:
    """The phrase that has to be said twice, and what it takes when it is."""
    sign = phrase_set(SHIPPED)
    twice = set(sign.labels.values()) - sign.once
    who = contenders([only(run, twice) for run in runs if run.phrases == SHIPPED], SHIPPED)
    rows: list[Row] = [
        (f"{title}, {condition.name}", "", partial(Contender.recall, place=condition.name, voices=voices))
        for voices, title in VOICES.items()
        for condition in CONDITIONS
        if condition.twice
    ]
    rows.append(("false activations per hour", "", lambda each: each.false()))
    return _part(f"Calls heard: {', '.join(sorted(twice))}, which counts when it is said twice", who, rows)


def _people(runs: Sequence[Run]) -> Part:
    who = contenders(runs, PEOPLE)
    labels = sorted({call.label for each in who for run in each.runs for call in run.calls})
    rows: list[Row] = [("all", ">= 85 %", lambda each: each.recall())]
    rows += [(label, "", partial(Contender.of_calls, key="label", value=label)) for label in labels]
    rows.append(("false activations per hour of ordinary sentences", "", lambda each: each.false()))
    return _part("People's phrases heard", who, rows)


def _costs(who: Sequence[Contender], costs: dict[str, Any]) -> Part:
    quiet = costs["quiet_cpu_s_per_hour"]
    rows: list[Row] = [
        ("end of the phrase to decision, p50", "<= 0.6 s", partial(_waited, 0.5)),
        ("... p95", "<= 1.0 s", partial(_waited, 0.95)),
        ("CPU s per hour of a quiet night", "", lambda each: f"{quiet[each.engine]:.1f}"),
    ]
    if NAIVE in quiet:
        share = {name: cpu_s / quiet[NAIVE] for name, cpu_s in quiet.items()}
        rows.append(("... beside naive Vosk", "<= 15 %", lambda each: f"{100 * share[each.engine]:.0f} %"))
    rows.append(("CPU s per hour of ordinary talk", "", _talk_cost))
    rows += [
        (
            f"memory after {told['hours']:g} h of a street",
            "",
            partial(_megabytes, told["rss_mb"]),
        )
        for told in shown(costs.get("memory", []))
    ]
    return _part("Time and cost", who, rows)


def _talk_cost(who: Contender) -> str:
    cpu_s = who.cpu_s_per_hour(ORDINARY)
    return "-" if cpu_s is None else f"{cpu_s:.1f}"


def _waited(share: float, who: Contender) -> str:
    return f"{who.latency_s(share):.2f} s" if who.recall().part else "-"


def _megabytes(rss_mb: float, who: Contender) -> str:
    return f"{rss_mb:.0f} MB" if who.engine == OURS else ""


def shown(memory: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """At the start, after an hour and at the end."""
    return [told for number, told in enumerate(memory) if told["hours"] in {0, 1} or number == len(memory) - 1]
