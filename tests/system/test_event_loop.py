"""Nothing on the event loop waits for a disk, a name server or a program: the next help call would wait with it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from agent.signals import Category, Outcome
from fakes.town import LIMIT_S, UNIT_ID
from tests.system.stand_in import WATCHED_LOOP
from tests.system.test_alarm_path import WITH_HELPERS
from tests.system.test_commands import done

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town


async def test_a_unit_at_work_touches_no_disk_on_its_event_loop(town_with: Callable[..., Town], folder: Path) -> None:
    found, gate = folder / "found", folder / "gate"
    (folder / "sitecustomize.py").write_text(WATCHED_LOOP.format(log=str(found), gate=str(gate)))
    footage = {"pre_event_s": 1.0, "post_event_s": 2.0}
    async with town_with(**WITH_HELPERS, footage=footage, uplink={"heartbeat_s": 2.0}) as town:
        await town.unit.start(PYTHONPATH=str(folder))
        await town.unit.ready()
        gate.touch()
        room = town.control_room
        await town.street.connected("camera")
        await town.street.press("panic-1")
        call = await town.alert(Category.HELP)
        await room.acknowledge(call.alert_id, "op-1")
        for line in ("light forS=0.2", "config-report", "still", "test-alert"):
            await done(room, f"{UNIT_ID} {line}")
        os.kill(town.unit.children()["listener"], signal.SIGKILL)
        await town.unit.logged("event=helper_back helper=listener")
        await room.wait_for(lambda _: call.latest.data["evidence"]["clip"]["status"] == "ready", LIMIT_S)
        await room.close_alert(call.alert_id, Outcome.TEST, "a test", "op-1")
        await town.broker.kill()
        await town.broker.start()
        await room.wait_for(lambda _: call.latest.data["state"] == "closed", LIMIT_S)
        asked_s = time.monotonic()
        town.unit.reload()
        await town.unit.told("READY=1", since_s=asked_s)
        town.unit.terminate()
        await town.unit.ended()
    assert found.read_text() == ""
