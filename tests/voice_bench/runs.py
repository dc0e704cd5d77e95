"""Plays tapes to engines, a process for each core, and keeps what they said as JSON."""

from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.voice_bench.engines import OURS, OURS_OPEN, engine
from tests.voice_bench.hits import Hit
from tests.voice_bench.phrase_sets import HELD_OUT, PEOPLE, SHIPPED, phrase_set
from tests.voice_bench.plans import CURVE_CONDITION, PEOPLE_TALK, CallTape, ClipTape, Plan, TalkTape
from tests.voice_bench.tape import Call
from tests.voice_bench.tapes import tape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.voice_bench.tape import Tape


@dataclass(frozen=True)
class Run:
    """One engine with one set of phrases on one tape."""

    engine: str
    phrases: str
    place: str
    """The condition of calls; the kind of talk."""
    voices: str
    """The kind of voice that calls, or "people"; empty for talk."""
    talkers: str
    """The kind of voice that talks; empty for calls, and where nobody talks."""
    bed: str
    calls: tuple[Call, ...]
    hits: tuple[Hit, ...]
    length_s: float
    cpu_s: float


def heard(name: str, phrases: str, tape: Tape) -> tuple[list[Hit], float]:
    """What this engine says about a tape, and the CPU time that it takes."""
    listener, hits = engine(name, phrase_set(phrases)), []
    began_s = before_s = time.process_time()
    for block in tape.blocks():
        found = listener.hear(block)
        if found:
            now_s = time.process_time()
            hits += [replace(hit, computed_s=now_s - before_s) for hit in found]
        before_s = time.process_time()
    hits += listener.end(tape.length_s)
    return hits, time.process_time() - began_s


def play(job: tuple[Plan, tuple[str, ...]]) -> list[Run]:
    """Make a tape and let every engine hear it."""
    plan, engines = job
    tape = tape_of(plan)
    if isinstance(plan, TalkTape) and not plan.shared:
        return [_run(plan, OURS, phrases, tape) for phrases in plan.listened_for]
    return [
        _run(plan, name, phrases, tape)
        for phrases in _listened_for(plan)
        for name in (*engines, *((OURS_OPEN,) if OURS in engines and _on_curve(plan, phrases) else ()))
    ]


def _listened_for(plan: Plan) -> tuple[str, ...]:
    match plan:
        case CallTape():
            return (plan.phrases,)
        case ClipTape():
            return (PEOPLE,) if plan.calls else (SHIPPED, HELD_OUT)
        case _:
            return plan.listened_for


def _on_curve(plan: Plan, phrases: str) -> bool:
    if phrases != SHIPPED or isinstance(plan, ClipTape):
        return False
    return not isinstance(plan, CallTape) or plan.condition == CURVE_CONDITION


def _run(plan: Plan, name: str, phrases: str, tape: Tape) -> Run:
    hits, cpu_s = heard(name, phrases, tape)
    match plan:
        case CallTape():
            place, voices, talkers, bed = plan.condition.name, plan.voices, "", plan.bed
        case ClipTape():
            place, voices, talkers, bed = PEOPLE_TALK, "people" if plan.calls else "", "", ""
        case _:
            place, voices, talkers, bed = plan.kind, "", plan.voices, ""
    return Run(name, phrases, place, voices, talkers, bed, tape.calls, tuple(hits), tape.length_s, cpu_s)


def play_all(plans: Sequence[Plan], engines: tuple[str, ...], workers: int) -> Iterator[list[Run]]:
    """Play all of them; what was heard of each tape, as it is done."""
    with ProcessPoolExecutor(workers) as pool:
        try:
            for finished in as_completed([pool.submit(play, (plan, engines)) for plan in plans]):
                yield finished.result()
        finally:
            pool.shutdown(cancel_futures=True)  # one failed: the others are not waited for


def save(path: Path, runs: Sequence[Run], costs: dict[str, Any]) -> None:
    """Keep everything that the tables are made of, in the place of what was kept before."""
    ordered = sorted(
        runs,
        key=lambda run: (run.engine, run.phrases, run.place, run.voices, run.talkers, run.bed, run.length_s),
    )
    whole = {"costs": costs, "runs": [asdict(run) for run in ordered]}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(whole), encoding="utf-8")
    part.replace(path)


def load(path: Path) -> tuple[list[Run], dict[str, Any]]:
    """Read it again."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    runs = [
        Run(
            **run
            | {
                "calls": tuple(Call(**call) for call in run["calls"]),
                "hits": tuple(Hit(**hit) for hit in run["hits"]),
            }
        )
        for run in whole["runs"]
    ]
    return runs, whole["costs"]
