"""What operators said of alerts and the units have not shown to know, and when it is to be said again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from agent.signals import AckLevel
from agent.uplink import topics
from agent.uplink.backoff import about_s
from agent.uplink.messages import Kind, Message

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from agent.control_room.alerts import Alert
    from agent.control_room.happenings import UnitKey
    from agent.uplink.messages import Document
    from agent.uplink.publication import Publication

AGAIN_S: Final = 15.0
"""To a unit that is there. Its answer, a revision, takes well under a second, or as long as it resends that itself: 2,
5, 15 s. So what is not answered by then has most likely not come."""
OFTEN: Final = 20
"""So many times at that pace, since it was said or since the unit's birth: five minutes. A unit that still shows
nothing has a reason that haste does not cure, and each saying is 0.6 kB of its data plan."""
SELDOM_S: Final = float(topics.ACK_EXPIRY_S)
"""After that, and to a unit that is away: as long as the broker keeps one. So there is always one waiting for a unit
that comes back, even while this console is gone by then, and never two."""
KEPT_S: Final = topics.INCIDENT_EXPIRY_S
"""A week: a unit forgets an incident that nobody closed after that."""
MOST_AT_ONCE: Final = 20
"""In one look, a second: a broker that was away gives birth to all units at the same time."""


@dataclass
class Word:
    """One acknowledgement of an operator, as it was sent."""

    unit: UnitKey
    document: Document
    said_s: float
    """When it was last said, on the monotonic clock."""
    stretch: float = 1.0
    """How much later or sooner than due it is said the next time."""
    times: int = 1
    """How often it was said since it was given or since its unit's birth; 0: it is due."""
    repeated: bool = field(default=False)
    """It was said more than once: somebody was told that the unit does not know."""

    @property
    def alert_id(self) -> str:
        """What it is about."""
        alert_id: str = self.document["data"]["alertId"]
        return alert_id

    @property
    def level(self) -> AckLevel:
        """Seen, or closed."""
        return AckLevel(self.document["data"]["level"])

    def publication(self) -> Publication:
        """The same message again: with its id and its revision, so that it means what it meant."""
        topic = topics.UnitTopics(self.unit.org, self.unit.unit).ack
        return Message(Kind.ACK, topic, self.document, expiry_s=topics.ACK_EXPIRY_S).publication()


class Unheard:
    """The words that are kept, one of each alert: a closing says all that "seen" said."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._words: dict[str, Word] = {}

    def __len__(self) -> int:
        return len(self._words)

    @property
    def words(self) -> tuple[Word, ...]:
        """All of them, the oldest first."""
        return tuple(self._words.values())

    def of(self, alert_id: str) -> Word | None:
        """The word on this alert that its unit does not show to know."""
        return self._words.get(alert_id)

    def give(self, word: Word, alert: Alert | None) -> None:
        """Keep what was said; unless a closing that still counts says more."""
        before = self._words.get(word.alert_id)
        closes = before is not None and before.level is AckLevel.CLOSED and alert is not None and alert.closed
        if not (closes and word.level is AckLevel.OPERATOR):
            self._words[word.alert_id] = word

    def hear(self, alert: Alert) -> Word | None:
        """A unit told how an alert stands; returns the word that it shows to know, which is kept no more."""
        word = self._words.get(alert.alert_id)
        if word is None or word.unit != alert.unit or not alert.knows(word.level):
            return None
        return self._words.pop(alert.alert_id)

    def begin(self, unit: UnitKey) -> None:
        """A unit was born, or born again on a new connection: what it does not know is due."""
        for word in self._words.values():
            if word.unit == unit:
                word.times = 0

    def due(self, now_s: float, is_away: Callable[[UnitKey], bool]) -> list[Word]:
        """What is to be said again now, what has waited longest first."""
        words = [word for word in self._words.values() if self._is_due(word, now_s, away=is_away(word.unit))]
        return sorted(words, key=lambda word: word.said_s)[:MOST_AT_ONCE]

    def said(self, word: Word, now_s: float) -> None:
        """It was said again."""
        word.said_s, word.times, word.repeated = now_s, word.times + 1, True
        word.stretch = about_s(1.0, self._rng)

    def give_up(self, now: datetime) -> list[Word]:
        """What is too old for any unit to remember what it is about; it is kept no more."""
        since = now - timedelta(seconds=KEPT_S)
        old = [word for word in self._words.values() if datetime.fromisoformat(word.document["time"]) < since]
        for word in old:
            del self._words[word.alert_id]
        return old

    def _is_due(self, word: Word, now_s: float, *, away: bool) -> bool:
        if word.times == 0:
            return True
        pause_s = SELDOM_S if away or word.times > OFTEN else AGAIN_S
        return now_s - word.said_s >= pause_s * word.stretch
