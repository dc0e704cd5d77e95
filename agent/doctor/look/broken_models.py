"""Whether the voice models can be used: their checksums, and a trial in Vosk itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.config.trial import broken_models

if TYPE_CHECKING:
    from agent.config.problems import Problem
    from agent.doctor.look.case import Case


def look(case: Case) -> tuple[Problem, ...] | None:
    """Try each model."""
    if case.config is None or not case.config.voice.enabled:
        return None
    return tuple(broken_models(case.file, case.config.voice))
