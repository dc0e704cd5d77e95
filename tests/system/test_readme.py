"""What the README says: its scenario plays, and every test that it names is there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from agent.signals import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RULES = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")


async def test_a_door_that_opens_at_night_is_told(town_with: Callable[..., Town]) -> None:
    async with town_with() as town:
        await town.start_unit()
        await town.street.open("tamper-1")
        alert = await town.alert(Category.TAMPER)
        await town.control_room.acknowledge(alert.alert_id, "op-1")


def test_the_readmes_scenario_is_the_one_above() -> None:
    source = inspect.getsource(test_a_door_that_opens_at_night_is_told)
    body = source.split("\n", 1)[1].strip()
    assert body in README


def test_every_test_that_the_readme_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", README + RULES)
    assert named
    missing = [path for path in named if not (ROOT / path).is_file()]
    assert not missing
