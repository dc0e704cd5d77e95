"""The whole walk test with the real daemon: an engineer on foot, an operator on the telephone, a unit that counts."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agent.cli.commission.lead import commission, signer_of
from agent.cli.commission.picture import newest_picture
from agent.cli.main import main
from agent.commission.bench import Patience
from agent.commission.machine import PictureMissing
from agent.commission.seal import trust, unseal
from agent.commission.session import FILE_NAME, FOLDER_NAME
from agent.signals import Category
from fakes.town import LIMIT_S
from tests.commission.engineer import Board, Engineer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from agent.commission.conclusion import Conclusion
    from agent.control_room.room import ControlRoom
    from fakes.town import Town
    from tests.commission.engineer import Cable

CAMERA = {
    "enabled": True,
    "width_px": 320,
    "height_px": 180,
    "fps": 6,
    "bitrate_kbps": 300,
    "tamper": False,
    "masks": [{"name": "window", "points": [[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]]}],
}
DARK_LUMA = 15.0
"""Mean brightness: with a bag before the lens 6, by the caption alone; of the street 34."""
PATIENCE = Patience(person_s=LIMIT_S, unit_s=LIMIT_S, operator_s=LIMIT_S)


class Walk:
    """A walk test that can be left and gone on with."""

    def __init__(self, town: Town, cables: Mapping[str, Cable] | None) -> None:
        self.town = town
        self._cables = cables
        self.board = Board(lambda: newest_picture(argparse.Namespace(config=town.config_file)))
        self.engineer = Engineer(town)
        self.patience = PATIENCE

    async def go_on(self, *, anew: bool = False, **answers: str) -> Conclusion | None:
        """Call the command, with these answers instead of the usual ones; None: the engineer left."""
        self.engineer = Engineer(self.town, self._cables, **answers)
        try:
            return await commission(
                self.town.config,
                signer_of(self.town.config),
                self.engineer,
                self.board,
                {},
                anew=anew,
                patience=self.patience,
            )
        finally:
            await self.engineer.home()

    def results(self) -> dict[str, str]:
        """What is on the disk of the steps so far."""
        kept = json.loads((self.town.state_folder / FOLDER_NAME / FILE_NAME).read_bytes())
        return {step_id: result["outcome"] for step_id, result in kept["results"].items()}

    def facts(self, step_id: str) -> dict[str, Any]:
        """What was measured in this step, as it is on the disk."""
        kept = json.loads((self.town.state_folder / FOLDER_NAME / FILE_NAME).read_bytes())
        return dict(kept["results"][step_id]["facts"])

    def has_passed(self, step: str) -> bool:
        return self.results().get(step) == "passed"

    async def picture_is(self, *, dark: bool) -> None:
        """Wait until the newest recorded picture is of a covered camera, or of one that sees."""
        async with asyncio.timeout(LIMIT_S):
            while not await asyncio.to_thread(self._shows, dark=dark):  # noqa: ASYNC110
                await asyncio.sleep(0.5)  # it is written by the recorder, which rings no bell here

    def _shows(self, *, dark: bool) -> bool:
        try:
            luma = self.board.picture().luma
            return bool(luma.mean() < DARK_LUMA) is dark
        except PictureMissing:
            return False

    async def cut_power(self) -> None:
        """The unit's power goes and comes back."""
        self.town.unit.kill()
        await self._boot()

    async def reboot(self) -> None:
        """Somebody calls `sudo reboot` instead."""
        self.town.unit.terminate()
        await self._boot()

    async def _boot(self) -> None:
        await self.town.unit.ended()
        await self.town.start_unit()
        self.board.reboot(self.town.unit.started_s)


def says_that_it_is(state: str) -> Callable[[ControlRoom], dict[str, Any] | None]:
    """What the heartbeat says of the commissioning, once it is this."""

    def look(room: ControlRoom) -> dict[str, Any] | None:
        told = (unit.heartbeat.get("commissioning", {}) for unit in room.desk.units.values())
        return next((dict(each) for each in told if each.get("state") == state), None)

    return look


def fingerprint_of(result: Mapping[str, Any]) -> str:
    """What an operator vouches for, worked out again by somebody who has only the signed file."""
    results = {
        step["id"]: {name: step[name] for name in ("outcome", "text", "at", "facts")}
        for step in result["steps"]
        if step["id"] != "countersign"
    }
    plain = json.dumps(results, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


@asynccontextmanager
async def walk(town: Town, cables: Mapping[str, Cable] | None = None) -> AsyncIterator[Walk]:
    async with town:
        await town.start_unit()
        yield Walk(town, cables)


async def test_an_engineer_walks_through_it_over_a_power_cut_and_the_unit_counts(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(camera=CAMERA, footage={"segment_s": 2, "keep_days": 1.0})
    async with walk(town) as test:
        assert await test.go_on(Enter__when_it_is_dark="skip") is None
        assert {*test.results().values()} == {"passed", "skipped"}, "\n".join(test.engineer.lines)
        assert "Left" not in test.engineer.lines
        await test.cut_power()
        concluded = await test.go_on()
        assert concluded is not None
        assert (concluded.passed, concluded.in_force) == (True, True)
        opened = unseal(concluded.sealed)
        trust(opened, town.authority.ca_file.read_bytes())
        result = opened.result
        signed = result["countersigned"]
        assert signed["operatorRef"] == "op-7"
        assert signed["digest"] == fingerprint_of(result)
        told_of = town.control_room.alerts[signed["alertId"]]
        assert f"walk test {signed['digest']}: " in str(told_of.latest.data), "the operator signed for these results"
        steps: dict[str, Any] = {step["id"]: step for step in result["steps"]}
        assert steps["aim"]["facts"]["reachesM"] == {"identify": 1.0, "recognise": 2.0, "observe": 4.0, "detect": 10.0}
        assert steps["still.night"]["outcome"] == "skipped"
        assert steps["still.night"]["text"] == "nobody is here by night"
        assert steps["cable.primary"]["facts"]["knownToUnitAfterS"] <= 90
        assert steps["power"]["facts"]["readyAfterS"] > 0
        assert "data:image/jpeg" in concluded.sheet
        assert "<script" not in concluded.sheet
        assert "http" not in concluded.sheet.replace("http-equiv", ""), "nothing is loaded"
        await town.street.press("panic-1")
        tests = frozenset(alert.alert_id for alert in town.control_room.alerts.values() if alert.test)
        assert not (await town.alert(Category.HELP, after=tests)).test
        told = await town.control_room.wait_for(says_that_it_is("passed"), LIMIT_S)
        assert told["papers"] == {"dpia": "2099-12-31", "pspo": "2099-12-31", "signage": "2099-06-30"}
        file = ["--config", str(town.config_file)]
        assert await asyncio.to_thread(main, ["commission", "withdraw", *file]) == 0
        await town.control_room.wait_for(says_that_it_is("none"), LIMIT_S)
        assert town.control_room.refused == 0


async def test_a_failed_step_makes_the_whole_not_pass_and_every_alert_stays_a_test(
    town_with: Callable[..., Town],
) -> None:
    async with walk(town_with()) as test:
        test.board.synced = False
        assert await test.go_on(The_lamp_was_told="no") is None
        await test.reboot()
        assert await test.go_on(again="end") is not None
        assert test.results()["power"] == "failed"
        assert "as before a reboot" in "\n".join(test.engineer.lines)
        await test.cut_power()
        concluded = await test.go_on(again="end")
        assert concluded is not None
        assert (concluded.passed, concluded.in_force) == (False, False)
        assert "NOT PASSED" in concluded.sheet
        known = test.town.known()
        await test.town.street.press("panic-1")
        assert (await test.town.alert(Category.HELP, after=known)).test
