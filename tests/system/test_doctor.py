"""The doctor and a whole unit: nothing to say while it works, and the right name for what fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.doctor import findings
from agent.doctor.examination import examine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.doctor.facts import Facts
    from agent.doctor.finding import Finding
    from fakes.town import Town

OF_THIS_MACHINE = {"service", "units", "clock", "logins", "memory", "thermal", "power", "unanswered", "rights"}
"""Kinds that tell of the machine which the tests run on, not of the unit."""
OF_THE_STREET = {"certificate", "signage"}
"""Its authority lives for some weeks only, which is told as too few; and it has no sign."""


def _of_the_unit(facts: Facts) -> list[Finding]:
    return [found for found in findings(facts) if found.kind not in OF_THIS_MACHINE | OF_THE_STREET]


async def _examined(file: Path) -> Facts:
    return await asyncio.to_thread(examine, file)


async def test_a_unit_is_well_until_its_broker_dies_and_then_the_link_and_the_waiting_call_are_named(
    town_with: Callable[..., Town],
) -> None:
    async with town_with() as town:
        await town.start_unit()
        facts = await _examined(town.config_file)
        assert facts.certificate is not None
        assert facts.certificate.trouble is None
        assert _of_the_unit(facts) == []
        await town.broker.stop()
        await town.street.press("panic-1")
        await town.street.lamp_is(lit=True)
        async with asyncio.timeout(60):
            facts = await _examined(town.config_file)
            while facts.backlog is None or not facts.backlog.calls:  # the disk follows memory
                facts = await _examined(town.config_file)
        (link,) = _of_the_unit(facts)
        assert (link.kind, link.weight.name) == ("link", "NO_CALL")
        assert "it cannot be reached (Connection refused)" in link.what
