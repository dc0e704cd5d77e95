"""A voice model is damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts


def find(facts: Facts) -> Iterator[Finding]:
    """By its list of checksums, or because Vosk cannot use it."""
    for problem in facts.broken_models or ():
        bundled = facts.config is not None and problem.key == "voice.model" and facts.config.voice.model is None
        again = "Install the agent again" if bundled else "Fetch it again with provisioning/fetch-voice-model"
        yield Finding(
            Weight.PART_LOST, f"{problem.key}: {problem.message}.", f"{again}, then run: safepoint check FILE"
        )
