"""The state of what an operator sees. Pure: no network, no files, no clock of its own.

Messages go in, with the time; what happened comes out, as sentences. A message may come twice, late, out of order
or from a liar, and an operator must see one alert, once, with its newest words.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from agent.control_room.alerts import AckGiven, Alert, Arrival
from agent.control_room.happenings import Happening, UnitKey, What
from agent.control_room.lives import LifeSeen, Turn
from agent.control_room.plain_text import plain
from agent.control_room.sequence import Span
from agent.control_room.units import ALIVE, GAP_SETTLES_S, QUIET_AFTER_S, Unit, UnitState
from agent.signals import AckLevel, Category, Outcome
from agent.uplink.messages import Document, Kind, State

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.control_room.reading import Reading

CLOSED_KEPT_S = 86_400.0
"""A closed alert stays in the list for a day: as long as the broker may still deliver a revision of it."""
UNTOLD_KEPT_S: Final = 604_800.0
"""One whose unit was away since is shown as that for as long as it is said again: a week (`unheard.KEPT_S`)."""
MOST_REVISIONS: Final = 128
"""Of one alert: above it the first one and the newest are on the desk, and what lies between is in the journal."""
MOST_ALERTS: Final = 2000
"""Of one unit: twice what its outbox holds. Above it the oldest that needs nobody gives way, and that is told."""
MOST_OF_UNIT: Final = 4 * MOST_ALERTS
"""Revisions of one unit, of all its alerts."""
MOST_ACKS: Final = 128
"""Of one alert; each time that it comes again a receiver gives one more."""
QUIET_WORDS = f"is QUIET: no heartbeat for {QUIET_AFTER_S:.0f} s, though the broker has not lost its connection"

_ENDED = {
    None: "",
    UnitState.LOST: ", its connection had died",
    UnitState.STOPPED: ", it had been stopped in order",
}


class Desk:
    """Units and alerts of one control room."""

    def __init__(self) -> None:
        self.units: dict[UnitKey, Unit] = {}
        self.alerts: dict[str, Alert] = {}
        self.duplicates = 0
        """Messages that came again."""
        self.refused = 0
        """Messages that could not be believed."""
        self._seen: dict[tuple[str, str], str] = {}
        """The alerts of the revisions that are on the desk."""
        self._of_unit: dict[UnitKey, dict[str, Alert]] = {}
        """The same alerts as in `alerts`."""

    def handle(self, reading: Reading, now: Moment) -> list[Happening]:
        """Take a message that came at this moment. Commands and their answers leave no trace on the desk."""
        match reading.kind:
            case Kind.ALERT:
                if reading.standing and self._knows(reading.document):
                    return []
                return self.alert(reading.unit, reading.document, now)
            case Kind.STATUS:
                return self.status(reading.unit, reading.document, now)
            case Kind.HEARTBEAT:
                return self.heartbeat(reading.unit, reading.document, now, retained=reading.retained)
            case Kind.ACK:
                return self.acknowledgement(reading.unit, reading.document, now)
            case Kind.COMMAND | Kind.RESPONSE | Kind.AUDIT | Kind.STILL:  # pictures have an album of their own
                return []

    def _knows(self, document: Document) -> bool:
        """Whether this revision of the alert, or a newer one, is on the desk."""
        alert = self.alerts.get(document["data"]["alertId"])
        return alert is not None and alert.latest.revision >= document["data"]["revision"]

    def status(self, key: UnitKey, document: Document, now: Moment) -> list[Happening]:
        """A unit's birth or good-bye, or the broker's word that its connection died."""
        data = document["data"]
        unit = self._unit(key)
        life = LifeSeen.of(data)
        if data["state"] == State.LOST:
            if unit.lives.is_past(life) or unit.has_rivals(now.monotonic_s):
                return []  # the end of what ended long ago; or of one of two that push each other out
            unit.lost_paths.add(data.get("path"))
            if not unit.lost_paths.issuperset(data.get("paths", ())):
                return []  # it has another one; should that be dead too, its own will or the silence tells
            return self._changed(unit, UnitState.LOST, "is LOST: its connection died")
        if data["state"] == State.STOPPED:
            return self._changed(unit, UnitState.STOPPED, "was stopped in order")
        unit.lost_paths.discard(data.get("path"))
        happened = self._began(unit, life, now)
        unit.last_heard_s = now.monotonic_s
        for first, last in data.get("skipped", ()):
            unit.sequence.skip(Span(first, last))
        if "lastSequence" in data:
            self._numbered(unit, now, gave=data["lastSequence"])
        return happened

    def heartbeat(self, key: UnitKey, document: Document, now: Moment, *, retained: bool = False) -> list[Happening]:
        """A unit says that it lives. A retained one is from before we listened: it tells much, but proves no life."""
        unit = self._unit(key)
        data = document["data"]
        faults_before, update_before, is_first = unit.faults, unit.update, not unit.heartbeat
        unit.heartbeat = data
        happened: list[Happening] = []
        life = LifeSeen.of(data)
        if not retained or unit.state is None:
            unit.last_heard_s = now.monotonic_s
            if unit.lives.present is not None and not life.is_same(unit.lives.present):
                happened += self._began(unit, life, now)  # its birth never came
            else:
                unit.lives.heard(life, now.monotonic_s)
                happened += self._beats(unit, now)
        if unit.faults != faults_before:
            words = "reports no fault any more" if not unit.faults else f"reports: {', '.join(unit.faults)}"
            happened.append(_of_unit(What.FAULTS_CHANGED, unit, words))
        if unit.update not in {update_before, ""} and not is_first:  # the first one tells what was, not what is new
            happened.append(_of_unit(What.UPDATE_TOLD, unit, f"update: {unit.update}"))
        if "lastSequence" in data["outbox"]:
            self._numbered(unit, now, gave=data["outbox"]["lastSequence"])
        return happened

    def alert(self, key: UnitKey, document: Document, now: Moment) -> list[Happening]:
        """A revision of an alert."""
        data = document["data"]
        alert = self.alerts.get(data["alertId"])
        if alert is not None and alert.unit != key:
            return [self.refuse(f"{key} spoke of an alert of {alert.unit}", key)]
        unit = self._unit(key)
        self._numbered(unit, now, saw=int(document["sequence"]))
        identity = (document["source"], document["id"])
        if identity in self._seen:
            return [self._again(unit, self._seen[identity], data["revision"])]
        # First of all, while nothing is on the desk yet: an alert without an arrival could not be shown.
        happened_at = datetime.fromisoformat(document["time"])
        arrival = Arrival(data["revision"], document["id"], happened_at, now, data, document["source"])
        is_new = alert is None
        if alert is None:
            alert = self.alerts[data["alertId"]] = Alert(data["alertId"], key)
            self._of_unit.setdefault(key, {})[alert.alert_id] = alert
        elif any(each.revision == data["revision"] for each in alert.arrivals):
            return [self._again(unit, alert.alert_id, data["revision"])]
        self._seen[identity] = alert.alert_id
        is_newest = is_new or data["revision"] > alert.latest.revision
        alert.arrivals.append(arrival)
        if data["state"] == "closed":
            alert.told_closed_in = max(alert.told_closed_in, data["revision"])
        unit.revisions += 1
        self._note_closing(alert, now)
        what = What.ALERT_RAISED if is_new else What.ALERT_REVISED if is_newest else What.OLDER_REVISION
        happened = [self._of_alert(what, alert, data["revision"])]
        if len(alert.arrivals) > MOST_REVISIONS:
            self._thin(alert)
        if len(self._of_unit[key]) > MOST_ALERTS or unit.revisions > MOST_OF_UNIT:
            happened += self._make_room(unit, alert)
        return happened

    def acknowledgement(self, key: UnitKey, document: Document, now: Moment) -> list[Happening]:
        """Somebody here acknowledged an alert: this console, or another one of the control room."""
        data = document["data"]
        alert = self.alerts.get(data["alertId"])
        if alert is None or alert.unit != key:
            return []  # from before we listened: there is nothing to show it on
        ack = AckGiven(
            level=AckLevel(data["level"]),
            revision=data["revision"],
            at=datetime.fromisoformat(document["time"]),
            operator_ref=data.get("operatorRef"),
            outcome=None if data.get("outcome") is None else Outcome(data["outcome"]),
            cause=data.get("note"),
        )
        if ack in alert.acks:
            return []
        alert.acks.append(ack)
        if len(alert.acks) > MOST_ACKS:
            machines = (place for place, each in enumerate(alert.acks) if each.level is AckLevel.RECEIVER)
            del alert.acks[next(machines, 0)]
        self._note_closing(alert, now)
        by = f" by {plain(ack.operator_ref)}" if ack.operator_ref else ""
        ending = f" as {ack.outcome}" if ack.outcome else ""
        return [
            Happening(
                What.ACKNOWLEDGED,
                f"{alert.category} {alert.alert_id} r{ack.revision}: {ack.level}{by}{ending}",
                key,
                alert.alert_id,
                ack.revision,
            )
        ]

    def refuse(self, reason: str, key: UnitKey | None = None) -> Happening:
        """Count a message that cannot be believed."""
        self.refused += 1
        return Happening(What.REFUSED, f"REFUSED: {plain(reason)}", key)

    def tick(self, now: Moment) -> list[Happening]:
        """Tell what is due by now: units that fell quiet and gaps that stayed; forget what was closed long ago."""
        happened: list[Happening] = []
        for unit in self.units.values():
            if unit.state in ALIVE and now.monotonic_s - unit.last_heard_s >= QUIET_AFTER_S:
                happened += self._changed(unit, UnitState.QUIET, QUIET_WORDS)
            happened += self._gap(unit, now)
        for alert in [*self.alerts.values()]:
            kept_s = UNTOLD_KEPT_S if alert.untold else CLOSED_KEPT_S
            if alert.closed_s is not None and now.monotonic_s - alert.closed_s >= kept_s:
                self._forget(alert)
        return happened

    def _unit(self, key: UnitKey) -> Unit:
        return self.units.setdefault(key, Unit(key))

    def _began(self, unit: Unit, life: LifeSeen, now: Moment) -> list[Happening]:
        """A unit was born, or born again on a new connection."""
        before = unit.state
        meaning = unit.lives.heard(life, now.monotonic_s)
        if meaning is None and before is UnitState.STOPPED:
            meaning = Turn.RESTARTED, "it began anew"  # a good-bye ends a life, whatever it calls itself
        if meaning is None:
            return [] if unit.lives.is_past(life) else self._beats(unit, now)
        unit.lost_paths.clear()  # those of the life before
        turn, words = meaning
        is_news = unit.turned(turn, words, now.monotonic_s)
        if turn is Turn.RESTARTED:
            return self._changed(unit, UnitState.RESTARTED, f"restarted: {words}{_ENDED.get(before, '')}")
        unit.become(UnitState.REPLACED)
        return [_of_unit(What.UNIT_REPLACED, unit, f"was REPLACED: {words}")] if is_news else []

    def _beats(self, unit: Unit, now: Moment) -> list[Happening]:
        """The life that is known speaks; one that took the name of another must be alone for a while to be online."""
        was_gone = unit.state in {UnitState.LOST, UnitState.QUIET}
        if unit.is_settled(now.monotonic_s):
            words = "is back online, the same life as before" if was_gone else "is online"
            return self._changed(unit, UnitState.ONLINE, words)
        if unit.become(UnitState.REPLACED) and was_gone:
            return [_of_unit(What.UNIT_REPLACED, unit, f"is back, still REPLACED: {unit.turn_words}")]
        return []

    def _changed(self, unit: Unit, state: UnitState, words: str) -> list[Happening]:
        if not unit.become(state):
            return []
        return [_of_unit(What(f"unit-{state}"), unit, words)]

    def _numbered(self, unit: Unit, now: Moment, *, saw: int | None = None, gave: int | None = None) -> None:
        before = unit.sequence.missing
        if saw is not None:
            unit.sequence.saw(saw)
        if gave is not None:
            unit.sequence.gave(gave)
        if unit.sequence.missing != before:
            unit.gap_since_s = now.monotonic_s

    def _gap(self, unit: Unit, now: Moment) -> list[Happening]:
        missing = unit.sequence.missing
        if missing == unit.told_missing:
            return []
        if not missing:
            unit.told_missing = ()
            return [_of_unit(What.NUMBERS_COMPLETE, unit, "all its missing messages are accounted for")]
        if now.monotonic_s - unit.gap_since_s < GAP_SETTLES_S or unit.undelivered:
            return []
        unit.told_missing = missing
        spans = ", ".join(str(span) for span in missing)
        return [_of_unit(What.NUMBERS_MISSING, unit, f"sent messages that never came: number {spans}")]

    def _again(self, unit: Unit, alert_id: str, revision: int) -> Happening:
        self.duplicates += 1
        self.alerts[alert_id].duplicates += 1
        return Happening(What.DUPLICATE, f"{unit.key} sent {alert_id} r{revision} again", unit.key, alert_id, revision)

    def _of_alert(self, what: What, alert: Alert, revision: int) -> Happening:
        marks = [
            word for word, is_so in (("TEST", alert.test), ("LATE", alert.late), ("SILENT", alert.silent)) if is_so
        ]
        words = " ".join([*marks, alert.category.upper(), f"r{revision}", alert.headline])
        return Happening(what, words, alert.unit, alert.alert_id, revision)

    def _note_closing(self, alert: Alert, now: Moment) -> None:
        if not alert.closed:
            alert.closed_s = None  # perhaps again: somebody called whom the closing did not know of
        elif alert.closed_s is None:
            alert.closed_s = now.monotonic_s

    def _thin(self, alert: Alert) -> None:
        """Drop the oldest revision that is neither the first nor the newest."""
        first, latest = alert.first, alert.latest
        dropped = next(arrival for arrival in alert.arrivals if arrival is not first and arrival is not latest)
        alert.arrivals.remove(dropped)
        self._drop(alert, dropped)

    def _make_room(self, unit: Unit, newest: Alert) -> list[Happening]:
        """Let the alert of a unit go that can be missed best: a closed one, then one that somebody looks after."""
        others = [alert for alert in self._of_unit[unit.key].values() if alert is not newest]
        if not others:
            return []
        # The first of the least: the oldest.
        least = min(others, key=lambda alert: (not alert.closed, alert.waiting, alert.category is Category.HELP))
        self._forget(least)
        if least.closed:
            return []
        words = f"has more alerts than the desk shows: {least.category} {least.alert_id} gave way, it is in the journal"
        return [_of_unit(What.REFUSED, unit, words)]

    def _forget(self, alert: Alert) -> None:
        del self.alerts[alert.alert_id]
        del self._of_unit[alert.unit][alert.alert_id]
        for arrival in alert.arrivals:
            self._drop(alert, arrival)

    def _drop(self, alert: Alert, arrival: Arrival) -> None:
        """A revision leaves the desk: should it come again, it is an older one."""
        self._seen.pop((arrival.source, arrival.document_id), None)
        self.units[alert.unit].revisions -= 1


def _of_unit(what: What, unit: Unit, words: str) -> Happening:
    return Happening(what, f"{unit.key} {plain(words)}", unit.key)
