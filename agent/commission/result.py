"""What is signed: everything that was found, and what it amounts to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import agent
from agent.commission.aim import EDITION
from agent.commission.course import RESULTS, Course, Result, Verdict
from agent.commission.plan import steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commission.session import Kept
    from agent.config.settings import Config


def result_of(config: Config, course: Course, kept: Kept, ended: str) -> dict[str, Any]:
    """The result, as JSON values.

    Args:
        config: What was commissioned.
        course: What came of it.
        kept: The session.
        ended: Now, UTC.
    """
    unit, results = config.unit, RESULTS.dump_python(course.results, mode="json")
    site = course.results.get("site")
    last = course.results.get(course.steps[-1].id)
    return {
        "session": kept.session,
        "began": kept.began,
        "ended": ended,
        "passed": course.verdict is Verdict.PASSED,
        "engineer": site.facts.get("engineer") if site is not None else None,
        "countersigned": _countersignature(last),
        "unit": {
            "org": unit.org,
            "id": unit.id,
            "name": unit.name,
            "location": unit.location,
            "latitude": unit.latitude,
            "longitude": unit.longitude,
            "profile": config.profile,
            "camera": config.camera.name if config.camera.enabled else None,
            "widthPx": config.camera.width_px,
            "heightPx": config.camera.height_px,
        },
        "masks": [
            {"name": mask.name, "points": [list(point) for point in mask.points]} for mask in config.camera.masks
        ],
        "software": agent.__version__,
        "edition": EDITION,
        "steps": [
            {"id": step.id, "title": step.title, "optional": step.optional, **results.get(step.id, _NOT_DONE)}
            for step in steps_of(config)
        ],
        "parts": dict(kept.parts),
    }


_NOT_DONE: Mapping[str, Any] = {"outcome": "not-done", "text": "not done", "at": None, "facts": {}}


def _countersignature(last: Result | None) -> Mapping[str, Any] | None:
    return last.facts if last is not None and "operatorRef" in last.facts else None
