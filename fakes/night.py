"""The demo's story: one night at a shop, from a quiet street to a call for help with the network down.

This is what a scenario looks like: the street's verbs, the control room's verbs, and what must follow from them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.signals import Category, LightPattern, Line, Outcome
from fakes import SPEECH
from fakes.story import Who
from fakes.town import LIMIT_S, ORG, UNIT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.control_room.alerts import Alert
    from agent.control_room.room import ControlRoom
    from fakes.teller import Teller
    from fakes.town import Town

OPERATOR = "op-4417"
SNR_DB = 25.0
"""How far the voice stands over the street's noise: a loud voice (72 dB(A) at 1 m, ISO 9921) beside the unit, in a
street at night (47 dB(A)). At 20 dB about one such call in fifty is missed, and the story must not hang on that."""

EDGE_TO_BROKER = "edge to broker acknowledgement"
EDGE_TO_CONTROL_ROOM = "edge to control room"
PHRASE_TO_ALERT = "end of phrase to alert in the control room"
TRIGGER_TO_LAMP = "trigger to lamp"


@dataclass(frozen=True)
class Pace:
    """How long the story dwells."""

    quiet_s: float
    """How long nothing happens, for which nothing must be reported."""
    pre_event_s: float
    post_event_s: float
    receiver_late_s: float
    """When the unit says that there is no connection."""


FULL = Pace(quiet_s=14.0, pre_event_s=10.0, post_event_s=20.0, receiver_late_s=10.0)
"""About a minute, with the 10 s of pre-event time and the 10 s before "phone" that units in the street have."""
QUICK = Pace(quiet_s=1.5, pre_event_s=2.0, post_event_s=2.0, receiver_late_s=3.0)
"""About half of that, for tests."""


async def night(town: Town, teller: Teller, pace: Pace) -> None:
    """Play the whole night.

    Raises:
        StepFailed: a step did not happen; the teller knows which and why.
    """
    story = _Night(town, teller, pace)
    await story.quiet_street()
    await story.somebody_walks_past_the_open_shop()
    await story.an_intruder_after_closing()
    await story.a_call_for_help()
    await story.a_call_with_the_network_down()


class _Night:
    def __init__(self, town: Town, teller: Teller, pace: Pace) -> None:
        self._town = town
        self._street = town.street
        self._teller = teller
        self._pace = pace

    @property
    def _room(self) -> ControlRoom:
        return self._town.control_room

    async def quiet_street(self) -> None:
        async with self._teller.step("Quiet night: the unit is armed and nothing is reported"):
            armed_s = await self._town.start_unit()
            self._teller.tell(Who.UNIT, f"is at work {armed_s:.1f} s after its start, and says so to the control room")
            await self._street.connected("microphone")
            await self._street.connected("camera")
            await self._nothing_is_raised_for(self._pace.quiet_s)
            assert not self._street.lamp_lit, "the lamp is on though nobody is there"

    async def somebody_walks_past_the_open_shop(self) -> None:
        async with self._teller.step("Somebody walks past while the shop is open: light, and no alert"):
            self._teller.tell(Who.SCENE, "somebody walks past the shop")
            seen_s = await self._street.walk_past(for_s=1.0)
            lit_s = await self._street.lamp_is(lit=True, since_s=seen_s)
            self._lamp_lit(seen_s, lit_s)
            await self._nothing_is_raised_for(self._pace.quiet_s / 2)
            self._teller.tell(Who.CONTROL_ROOM, "hears nothing of it: the shop is open")
            await self._street.lamp_is(lit=False)

    async def an_intruder_after_closing(self) -> None:
        async with self._teller.step("The shop is set; movement is now an intruder alert"):
            await self._room.set_unit(ORG, UNIT_ID, OPERATOR)
            self._teller.tell(Who.CONTROL_ROOM, "sets the unit, which accepts it")
            before = self._town.known()
            self._teller.tell(Who.SCENE, "somebody moves inside the closed shop")
            seen_s = await self._street.walk_past(for_s=1.0)
            alert = await self._town.alert(Category.INTRUDER, after=before)
            self._arrived(alert, seen_s)
            self._lamp_lit(seen_s, await self._street.lamp_is(lit=True, since_s=seen_s))
            assert alert.latest.data["confirmation"]["level"] == "none", "one detector alone must not confirm"
            await self._acknowledge(alert)
            await self._close(alert, Outcome.FALSE, "the manager came back for her keys")

    async def a_call_for_help(self) -> None:
        alert = await self._help_is_called()
        await self._control_room_sees(alert)
        await self._pictures_follow(alert)
        async with self._teller.step("The call is closed with an outcome"):
            await self._close(alert, Outcome.GENUINE, None)
            await self._street.lamp_is(lit=False)
            self._teller.tell(Who.UNIT, "lamp off")

    async def _help_is_called(self) -> Alert:
        async with self._teller.step('"Help me" is spoken in the street: lamp and voice at once, alert out'):
            before = self._town.known()
            said_s = await self._street.say(SPEECH / "help-me-awb.wav", snr_db=SNR_DB)
            self._teller.tell(Who.SCENE, f'a voice in the street noise ({SNR_DB:.0f} dB over it): "help me"', said_s)
            heard_s = await self._street.heard_line(Line.HEARD, since_s=said_s)
            self._teller.tell(Who.UNIT, 'says: "Help is being called. Stay where you are if it is safe."', heard_s)
            alert = await self._town.alert(Category.HELP, after=before)
            arrived_s = alert.first.received.monotonic_s
            self._teller.tell(Who.CONTROL_ROOM, f"receives: {alert.headline}", arrived_s)
            self._teller.measured(PHRASE_TO_ALERT, arrived_s - said_s)
            await self._street.lamp_shows(LightPattern.HEARD)
            self._teller.tell(Who.UNIT, "lamp blinks: heard")
            received_s = await self._street.heard_line(Line.RECEIVED, since_s=said_s)
            self._teller.tell(Who.UNIT, 'says: "The control room has your call."', received_s)
        return alert

    async def _control_room_sees(self, alert: Alert) -> None:
        async with self._teller.step("An operator sees the call: a second, different signal at the scene"):
            acknowledged_s = time.monotonic()
            await self._acknowledge(alert)
            seen_s = await self._street.heard_line(Line.SEEN, since_s=acknowledged_s)
            self._teller.tell(Who.UNIT, 'says: "The control room can see you."', seen_s)
            await self._street.lamp_shows(LightPattern.SEEN)
            self._teller.tell(Who.UNIT, "lamp steady with a wink: seen")

    async def _pictures_follow(self, alert: Alert) -> None:
        async with self._teller.step("Still, strip and clip follow as revisions of the same alert"):
            for picture in ("snapshot", "strip", "clip"):
                facts = await self._picture(alert, picture)
                size_kb = facts["sizeBytes"] // 1024
                self._teller.tell(Who.UNIT, f"{picture} ready: {size_kb} kB, told in revision {alert.latest.revision}")
            clip = alert.latest.data["evidence"]["clip"]
            before_s = (_time(alert.latest.data["opened"]) - _time(clip["start"])).total_seconds()
            assert before_s >= self._pace.pre_event_s, f"the clip begins only {before_s:.1f} s before the call"
            self._teller.tell(Who.UNIT, f"the clip begins {before_s:.1f} s before the call")

    async def a_call_with_the_network_down(self) -> None:
        async with self._teller.step("The network fails and the panic button is pressed: the unit says so"):
            before = self._town.known()
            await self._town.broker.stop()
            self._teller.tell(Who.NETWORK, "the broker is stopped")
            await self._room.wait_for(lambda room: not room.connected, LIMIT_S)
            pressed_s = await self._street.press("panic-1")
            self._teller.tell(Who.SCENE, "the panic button is pressed", pressed_s)
            self._lamp_lit(pressed_s, await self._street.lamp_is(lit=True, since_s=pressed_s))
            words_s = await self._street.heard_line(Line.NO_CONNECTION, since_s=pressed_s)
            waited_s = words_s - pressed_s
            self._teller.tell(Who.UNIT, f'after {waited_s:.0f} s says: "No connection. Phone nine nine nine."', words_s)
        async with self._teller.step("The network is back: the call arrives once, with its own time, marked late"):
            await self._town.broker.start()
            self._teller.tell(Who.NETWORK, "the broker is started again")
            alert = await self._town.alert(Category.HELP, after=before)
            arrived_s = alert.first.received.monotonic_s
            self._teller.tell(Who.CONTROL_ROOM, f"receives: {alert.headline}", arrived_s)
            assert alert.late, "it is not marked as late"
            happened_ago_s = (alert.first.received.wall - alert.first.happened).total_seconds()
            assert abs(happened_ago_s - (arrived_s - pressed_s)) < 1, "its time is not that of the press"
            await self._street.heard_line(Line.RECEIVED, since_s=arrived_s)
            self._teller.tell(Who.UNIT, 'says: "The control room has your call."')
            await self._acknowledge(alert)
            await self._close(alert, Outcome.TEST, "demo")
            revisions = [arrival.revision for arrival in alert.arrivals]
            assert revisions == sorted(set(revisions)), f"not once and in order: {revisions}"
            new = [each for each in self._room.alerts.values() if each.alert_id not in before]
            assert [each.category for each in new if each.category is Category.HELP] == [Category.HELP]
            self._teller.tell(Who.CONTROL_ROOM, "has it once, in order, with its original time")

    # --- what steps share ----------------------------------------------------------------------------------------

    async def _nothing_is_raised_for(self, quiet_s: float) -> None:
        before = self._town.known()
        try:
            await self._room.wait_for(lambda room: room.alerts.keys() - before, quiet_s)
        except TimeoutError:
            return
        headlines = [self._room.alerts[each].headline for each in self._room.alerts.keys() - before]
        msg = f"raised although nothing was to be: {headlines}"
        raise AssertionError(msg)

    async def _picture(self, alert: Alert, name: str) -> Mapping[str, Any]:
        """Wait until the unit says that a picture of this alert is there."""

        def look(_: ControlRoom) -> Mapping[str, Any] | None:
            facts: Mapping[str, Any] = alert.latest.data["evidence"][name]
            return facts if facts["status"] == "ready" else None

        return await self._room.wait_for(look, LIMIT_S) or {}

    def _arrived(self, alert: Alert, edge_s: float) -> None:
        arrived_s = alert.first.received.monotonic_s
        self._teller.measured(EDGE_TO_CONTROL_ROOM, arrived_s - edge_s)
        self._teller.tell(Who.CONTROL_ROOM, f"receives: {alert.headline}", arrived_s)

    def _lamp_lit(self, edge_s: float, lit_s: float) -> None:
        self._teller.measured(TRIGGER_TO_LAMP, lit_s - edge_s)
        self._teller.tell(Who.UNIT, "lamp on", lit_s)

    async def _acknowledge(self, alert: Alert) -> None:
        await self._room.acknowledge(alert.alert_id, OPERATOR)
        self._teller.tell(Who.CONTROL_ROOM, f"operator {OPERATOR} looks at it")

    async def _close(self, alert: Alert, outcome: Outcome, cause: str | None) -> None:
        await self._room.close_alert(alert.alert_id, outcome, cause, OPERATOR)
        await self._room.wait_for(lambda _: alert.latest.data["state"] == "closed", LIMIT_S)
        self._teller.tell(Who.CONTROL_ROOM, f"closes it: {outcome}{f', {cause}' if cause else ''}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
