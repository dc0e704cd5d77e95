"""How each step is done: one function for each kind, given the step and the bench it is done on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.commission.course import Kind
from agent.commission.steps import camera, countersign, network, papers, power, sound, unit, walk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step

DONE_BY: Mapping[Kind, Callable[[Step, Bench], Awaitable[Result]]] = {
    Kind.SITE: papers.site,
    Kind.DPIA: papers.dpia,
    Kind.PSPO: papers.pspo,
    Kind.SIGNAGE: papers.signage,
    Kind.URN: papers.urn,
    Kind.FAULTS: unit.faults,
    Kind.CLOCK: unit.clock,
    Kind.DISK: unit.disk,
    Kind.PATH: network.path,
    Kind.CABLE: network.cable,
    Kind.AIM: camera.aim,
    Kind.STILL: camera.still,
    Kind.LAMP: sound.lamp,
    Kind.LOOP: sound.loop,
    Kind.PHRASE: sound.phrase,
    Kind.WALK: walk.walk,
    Kind.POWER: power.power,
    Kind.COUNTERSIGN: countersign.countersign,
}
