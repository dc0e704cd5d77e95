"""A day without a broker, small; `./dev chaos` does it with ten thousand events."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.uplink.chaos.drain import DAY_S, day_without_broker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.uplink.conftest import Street

EVENTS = 150


async def test_after_a_day_without_broker_all_comes_by_importance_and_a_new_call_overtakes(
    street: Street, tmp_path: Path
) -> None:
    drain = await day_without_broker(tmp_path, street.broker.plain_port or 0, EVENTS)
    assert drain.stored == EVENTS
    assert [alert.alert_id for alert in drain.events] == drain.wanted
    assert all(alert.late for alert in drain.events[:-2])  # but for what happened just before the end of the day
    assert drain.before_first_call == 0
    assert drain.gave_way == []
    assert drain.before_call <= 20  # no more than what was under way already
    times = [alert.happened for alert in sorted(drain.events, key=lambda alert: alert.alert_id)]
    step = timedelta(seconds=DAY_S / EVENTS)
    assert all(abs(later - earlier - step) < timedelta(seconds=0.01) for earlier, later in pairwise(times))
