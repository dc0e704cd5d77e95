"""The tables, for the terminal and for the README."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tests.voice_bench.cast import FORMANT, READERS, RECORDED
from tests.voice_bench.engines import NAIVE, OURS
from tests.voice_bench.figures import Contender, contenders, labels_of
from tests.voice_bench.phrase_sets import HELD_OUT, PEOPLE, SHIPPED
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
    SHIPPED: "the four phrases of the safe-point profile",
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
    """All tables."""
    for phrases in (SHIPPED, HELD_OUT):
        who = contenders(runs, phrases)
        yield _heard(phrases, who)
        yield _false(phrases, who)
    yield _split([run for run in runs if run.phrases == SHIPPED])
    if any(run.phrases == PEOPLE for run in runs):
        yield _people(runs)
    yield _costs(contenders(runs, SHIPPED), costs)


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
    return _part(f"False activations per hour (95 % interval): {SETS[phrases]}", who, rows)


def _split(runs: Sequence[Run]) -> Part:
    """Where the misses are."""
    who = contenders(runs, SHIPPED)
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
