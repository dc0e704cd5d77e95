"""What the lamp does for each pattern: data.

People with photosensitive epilepsy stand under this lamp: nothing here flashes more than three times within any one
second (WCAG 2.2, success criterion 2.3.1). Every pattern but OFF begins with light, so that a call is answered at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.signals import LightPattern

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Step:
    """Hold this level for so long."""

    lit: bool
    for_s: float | None = None
    """None: until another pattern is shown."""


BLINK_S = 0.2
"""Half of an even 2.5 Hz blink: quick enough to be an answer, half a flash a second below the limit."""
WINK_S = 0.2
WINK_EVERY_S = 2.0

PATTERNS: Mapping[LightPattern, tuple[Step, ...]] = {
    LightPattern.OFF: (Step(lit=False),),
    LightPattern.STEADY: (Step(lit=True),),
    LightPattern.HEARD: (Step(lit=True, for_s=BLINK_S), Step(lit=False, for_s=BLINK_S)),
    LightPattern.SEEN: (Step(lit=True, for_s=WINK_EVERY_S - WINK_S), Step(lit=False, for_s=WINK_S)),
}
"""Steps are played round and round."""
