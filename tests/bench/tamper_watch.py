"""What the tamper watch costs: CPU of a look at a 320 x 180 picture, and the share of a core at its rate.

python -m tests.bench.tamper_watch
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from agent.footage.tamper.watch import LOOK_EVERY_S, TamperWatch
from agent.hw.kit import LoresFrame
from tests.footage.tamper_street import Light, Pose, Show, TamperStreet

PICTURES = 40
"""Different ones, so that no cache of the processor holds them all."""


@dataclass(frozen=True)
class LookCost:
    """CPU time of one look, and of a second of looking."""

    look_ms: float

    @property
    def core_percent(self) -> float:
        """Of one core, at the watch's own rate."""
        return self.look_ms / 10 / LOOK_EVERY_S


def cost_of_looking(looks: int = 400, *, turned: bool = False) -> LookCost:
    """Measure it: of a view that is as it should be, or of one that was turned, in which a shift is searched for."""
    street, show = TamperStreet(1), Show.of(Light.NIGHT_LIT)

    def film(pose: Pose) -> list[LoresFrame]:
        show.pose = pose
        return [street.develop(street.expose(street.light(show), show), show, 0.0) for _ in range(PICTURES)]

    usual, present = film(Pose()), film(Pose(0.2, 0.05, 0.0) if turned else Pose())
    watch, at_s = TamperWatch(), 0.0
    began_s = time.process_time()
    for look in range(looks + PICTURES * 2):
        if look == PICTURES * 2:
            began_s = time.process_time()  # the view is learned by then
        at_s += LOOK_EVERY_S
        pictures = usual if look < PICTURES * 2 else present
        watch.look(LoresFrame(pictures[look % PICTURES].luma, at_s), at_s)
    return LookCost((time.process_time() - began_s) / looks * 1000)


if __name__ == "__main__":
    for name, cost in (("as it should be", cost_of_looking()), ("turned", cost_of_looking(turned=True))):
        sys.stdout.write(f"a view {name}: {cost.look_ms:.2f} ms a look, {cost.core_percent:.2f} % of a core\n")
