"""Leads the engineer from step to step. Each result is on the disk before the next question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.commission.course import Outcome, Result, Verdict
from agent.commission.papers import choice
from agent.commission.session import now
from agent.commission.steps import DONE_BY
from agent.commission.talk import SkipWanted

if TYPE_CHECKING:
    from agent.commission.bench import Bench
    from agent.commission.course import Step


async def lead(bench: Bench) -> Verdict:
    """Go through what is open; returns what it amounts to, passed or not.

    Raises:
        Left: the engineer left, with what was done on the disk.
        UnitAway: the agent went away; likewise.
    """
    course = bench.session.course
    while True:
        step = course.next()
        if step is not None:
            await _do(step, bench)
        elif not course.in_the_way() or not await _redo(bench):
            return course.verdict


async def _do(step: Step, bench: Bench) -> None:
    course, talk = bench.session.course, bench.talk
    talk.tell()
    talk.tell(f"[{course.steps.index(step) + 1}/{len(course.steps)}] {step.title}", "")
    talk.skippable = step.optional
    try:
        result = await DONE_BY[step.kind](step, bench)
    except SkipWanted as reason:
        result = Result(Outcome.SKIPPED, str(reason), now())
    finally:
        talk.skippable = False
    course.record(step, result)
    bench.session.save()
    talk.tell(f"{result.outcome.upper()}: {result.text}")
    if result.outcome is Outcome.FAILED and await talk.yes(f"{step.id}.again", "Do this step again now?"):
        course.undo(step.id)


async def _redo(bench: Bench) -> bool:
    """Ask what is to become of the steps that failed; False: the walk test ends as not passed."""
    course, talk = bench.session.course, bench.talk
    talk.tell()
    talk.tell("These steps failed, so the unit does not pass:", "")
    for step in course.in_the_way():
        talk.tell(f"{step.title}: {course.results[step.id].text}")
    what = await talk.ask(
        "end",
        "again (do them again), end (a result that says not passed), or quit?",
        lambda text: choice(text, "again", "end"),
    )
    if what == "end":
        return False
    for step in course.in_the_way():
        course.undo(step.id)
    return True
