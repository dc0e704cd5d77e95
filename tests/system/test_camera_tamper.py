"""A disabled camera, from the street to the control room and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.signals import Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.town import Town

TOLD_WITHIN_S = 60.0
"""The watch takes 10 to 19 s after it has learned its view; only a failing test waits this long."""
CAMERA = {"enabled": True, "width_px": 320, "height_px": 180, "bitrate_kbps": 500}


async def test_a_picture_that_stands_still_is_a_tamper_alert_until_it_moves_again(
    town_with: Callable[..., Town],
) -> None:
    async with town_with(camera=CAMERA) as town:
        await town.start_unit()
        await town.street.connected("camera")
        await town.street.stick_camera()
        await town.control_room.wait_for(lambda room: room.alerts, TOLD_WITHIN_S)
        alert = await town.alert(Category.TAMPER)
        assert "frozen" in alert.first.data["headline"]
        assert alert.first.data["detections"][0]["label"] == "frozen"
        await town.street.unstick_camera()
        await town.control_room.wait_for(lambda _: alert.latest.data["restored"], TOLD_WITHIN_S)
