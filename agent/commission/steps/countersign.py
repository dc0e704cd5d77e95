"""The control room's word: an operator closes an alert that says what was proved, and reads its code."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from agent.commission.bench import failed, passed
from agent.commission.course import RESULTS, Outcome
from agent.commission.steps.walk import code_is_read_back, received_at
from agent.incidents.marks import code_of
from agent.local.messages import AlertAnswered, AlertTold, RaiseTest
from agent.signals import AckLevel, Category
from agent.signals import Outcome as Closing

if TYPE_CHECKING:
    from agent.commission.bench import Bench
    from agent.commission.course import Course, Result, Step
    from agent.local.client import LocalUnit

DIGEST_DIGITS: Final = 16


def digest_of(course: Course) -> str:
    """A fingerprint of the results so far, but the countersignature: what the operator vouches for."""
    results = {step_id: result for step_id, result in course.results.items() if step_id != course.steps[-1].id}
    plain = json.dumps(RESULTS.dump_python(results, mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()[:DIGEST_DIGITS]


async def countersign(step: Step, bench: Bench) -> Result:
    """Have an operator close the unit's last test alert as a test."""
    course, talk, unit = bench.session.course, bench.talk, bench.unit
    digest, skipped = digest_of(course), course.count(Outcome.SKIPPED)
    since = len(unit.news)
    about = f"walk test {digest}: {course.count(Outcome.PASSED)} steps passed, {skipped} skipped; close as test to sign"
    await unit.do(RaiseTest(about))
    alert = await unit.wait_for(lambda unit: _raised(unit, since), bench.patience.unit_s)
    if alert is None:
        return failed("the unit raised no test alert")
    if await unit.wait_for(lambda unit: received_at(unit, alert), bench.patience.unit_s) is None:
        return failed(f"the control room did not receive alert {alert.alert_id}", alertId=alert.alert_id)
    talk.tell(f"The operator sees an alert that says: walk test {digest}.")
    if not await code_is_read_back(bench, step.id, alert):
        return failed("the control room read back another code", alertId=alert.alert_id)
    talk.tell("Now the operator closes that alert as a test. This may take a while.")
    closed = await unit.wait_for(lambda unit: _closed(unit, alert.alert_id), bench.patience.operator_s)
    if closed is None:
        return failed("the operator did not close it", alertId=alert.alert_id)
    if closed.outcome != Closing.TEST or not closed.operator_ref:
        return failed(f"it was closed as {closed.outcome} by {closed.operator_ref or 'nobody'}", alertId=alert.alert_id)
    return passed(
        f"by {closed.operator_ref}",
        operatorRef=closed.operator_ref,
        note=closed.note,
        alertId=alert.alert_id,
        code=code_of(alert.alert_id, Category.TEST),
        digest=digest,
    )


def _raised(unit: LocalUnit, since: int) -> AlertTold | None:
    for each in unit.news[since:]:
        if isinstance(each, AlertTold) and (each.category, each.state) == (Category.TEST, "active"):
            return each
    return None


def _closed(unit: LocalUnit, alert_id: str) -> AlertAnswered | None:
    for each in unit.news:
        if isinstance(each, AlertAnswered) and (each.alert_id, each.level) == (alert_id, AckLevel.CLOSED):
            return each
    return None
