"""Plays a tape to engines."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.voice_bench.engines import OURS, OURS_OPEN, engine
from tests.voice_bench.phrase_sets import HELD_OUT, PEOPLE, SHIPPED, phrase_set
from tests.voice_bench.plans import CURVE_CONDITION, PEOPLE_TALK, CallTape, ClipTape, Plan, TalkTape
from tests.voice_bench.runs import Run
from tests.voice_bench.tapes import tape_of

if TYPE_CHECKING:
    from tests.voice_bench.hits import Hit
    from tests.voice_bench.tape import Tape


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
    shared = not isinstance(plan, TalkTape) or plan.shared
    return Run(name, phrases, place, voices, talkers, bed, tape.calls, tuple(hits), tape.length_s, cpu_s, shared)
