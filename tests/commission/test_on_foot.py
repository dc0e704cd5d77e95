"""Whole walk tests with the real daemon in which something is done to the unit: a cable pulled, a camera covered."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent.commission.seal import unseal
from agent.signals import Category
from fakes.town import LIMIT_S
from tests.commission.engineer import Cable
from tests.commission.test_story import CAMERA, PATIENCE, says_that_it_is, walk
from tests.uplink.chaos.rough_network import RoughNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commission.conclusion import Conclusion
    from fakes.town import Town

KNOWN_WITHIN_S = 90
HEARTBEAT_S = 2.0


def steps_of(concluded: Conclusion | None) -> dict[str, Any]:
    """The steps of a signed result, by their ids."""
    assert concluded is not None
    return {step["id"]: step for step in unseal(concluded.sealed).result["steps"]}


def outcomes(concluded: Conclusion | None, *ids: str) -> list[str]:
    steps = steps_of(concluded)
    return [steps[step_id]["outcome"] for step_id in ids]


async def test_each_of_two_paths_is_proved_pulled_and_put_back_while_the_other_stays(
    town_with: Callable[..., Town],
) -> None:
    town = town_with()
    async with (
        RoughNetwork(town.broker.port, reads_mqtt=False) as first,
        RoughNetwork(town.broker.port, reads_mqtt=False) as second,
    ):
        alternate = {"broker": f"mqtts://localhost:{second.port}"}
        town.rebuild(
            uplink={"broker": f"mqtts://localhost:{first.port}", "alternate": alternate, "heartbeat_s": HEARTBEAT_S}
        )
        cables = {"primary": Cable(first), "alternate": Cable(second)}
        async with walk(town, cables) as test:
            assert await test.go_on() is None
            assert {*test.results().values()} == {"passed"}, "\n".join(test.engineer.lines)
            assert [cables[name].pulled for name in cables] == [1, 1]
            await test.cut_power()
            concluded = await test.go_on()
            steps = steps_of(concluded)
            assert concluded is not None
            assert (concluded.passed, concluded.in_force) == (True, True)
            for name in cables:
                assert steps[f"path.{name}"]["outcome"] == "passed"
                facts = steps[f"cable.{name}"]["facts"]
                # A pulled cable is silence, which nobody knows as a loss before a keep-alive went unanswered.
                assert HEARTBEAT_S / 2 < facts["knownToUnitAfterS"] <= KNOWN_WITHIN_S
                assert facts["backAfterS"] >= 0
            # Nobody lost the unit meanwhile, and the sheet has the times that were measured.
            (row,) = re.findall(r"known to the unit as lost after (\d+) s", steps["cable.alternate"]["text"])
            assert f"known to the unit as lost after {row} s" in concluded.sheet


async def test_a_path_that_is_pulled_and_never_comes_back_is_named_and_nothing_is_in_force(
    town_with: Callable[..., Town],
) -> None:
    town = town_with()
    async with RoughNetwork(town.broker.port, reads_mqtt=False) as second:
        town.rebuild(uplink={"alternate": {"broker": f"mqtts://localhost:{second.port}"}, "heartbeat_s": HEARTBEAT_S})
        broken = Cable(second, stays_out=True)
        async with walk(town, {"alternate": broken}) as test:
            test.patience = replace(test.patience, unit_s=LIMIT_S / 2)  # what stays out is waited for to the end
            assert await test.go_on() is None
            failed = {step_id for step_id, outcome in test.results().items() if outcome == "failed"}
            assert failed == {"cable.alternate"}, "\n".join(test.engineer.lines)
            await test.cut_power()
            concluded = await test.go_on(again="end")
            assert concluded is not None
            assert (concluded.passed, concluded.in_force) == (False, False)
            step = steps_of(concluded)["cable.alternate"]
            assert "the alternate path did not come back" in step["text"]
            assert step["facts"]["knownToUnitAfterS"] > 0, "what was measured before stays on the sheet"
            # Mended, it is the only step to be done again.
            broken.mend()
            test.patience = PATIENCE
            mended = await test.go_on(again="again")
            assert outcomes(mended, "cable.alternate", "countersign") == ["passed", "passed"]
            assert mended is not None
            assert mended.in_force


async def test_a_unit_whose_camera_is_covered_gets_no_certificate_until_it_is_uncovered(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(camera=CAMERA, footage={"segment_s": 2, "keep_days": 1.0})
    async with walk(town) as test:
        await town.street.connected("camera")
        await town.street.cover_camera()
        await test.picture_is(dark=True)
        assert await test.go_on(Enter__when_it_is_dark="skip") is None
        failed = {step_id for step_id, outcome in test.results().items() if outcome == "failed"}
        assert failed == {"still.day"}, "\n".join(test.engineer.lines)
        await test.cut_power()
        await test.picture_is(dark=True)
        covered = await test.go_on(again="end")
        assert covered is not None
        assert (covered.passed, covered.in_force) == (False, False)
        assert outcomes(covered, "still.day", "countersign") == ["failed", "not-done"]
        assert "is the lens covered?" in steps_of(covered)["still.day"]["text"]
        assert "NOT PASSED" in covered.sheet
        assert "is the lens covered?" in covered.sheet, "the sheet says why"
        await town.control_room.wait_for(says_that_it_is("none"), LIMIT_S)
        known = town.known()
        await town.street.press("panic-1")
        assert (await town.alert(Category.HELP, after=known)).test
        await town.street.uncover_camera()
        await test.picture_is(dark=False)
        clear = await test.go_on(again="again")
        assert clear is not None
        assert (clear.passed, clear.in_force) == (True, True)
        assert outcomes(clear, "still.day", "countersign") == ["passed", "passed"]


async def test_a_camera_that_tells_when_it_is_covered_is_walked_like_every_sensor(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(camera={**CAMERA, "tamper": True}, footage={"segment_s": 2, "keep_days": 1.0})
    async with walk(town) as test:
        await town.street.connected("camera")
        assert await test.go_on(Enter__when_it_is_dark="skip") is None
        assert test.results()["walk.camera"] == "passed", "\n".join(test.engineer.lines)
        told = town.control_room.alerts[test.facts("walk.camera")["alertId"]]
        assert (told.category, told.test) == (Category.TAMPER, True)
        assert "amera" in told.headline, told.headline
