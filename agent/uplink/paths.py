"""One or two ways to the control room: another broker, or the same one over another network.

Both are connected all the time, so that the second one is known to work when it is needed. What nobody acknowledges
goes alternately over both; everything else goes over the first that is up and leads to somebody who listens.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agent.uplink.inbox import READ_BYTES
from agent.uplink.lanes import Lane
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.path_watch import PathEvent, PathWatch, proves_itself, wants_proof
from agent.uplink.publication import LinkDown, Subscription
from agent.uplink.topics import UnitTopics

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping, Sequence

    from agent.config.settings import Config
    from agent.uplink.client_mark import ClientMark
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.publication import Publication, Receipt, Received

ACK: Final = "ack"
"""The last level of the topic of acknowledgements."""
PRIMARY: Final = "primary"
ALTERNATE: Final = "alternate"
LOOK_EVERY_S: Final = 2.0
TAKES_NOTHING: Final = "its broker answers, and has taken nothing for too long"
TWICE_WITHIN_S: Final = 300.0
"""What comes over both paths is heard once; an acknowledgement, the longest-lived of it, expires after this time."""
REMEMBERED: Final = 2000


def alarm_manners(config: Config, mark: ClientMark) -> Manners:
    """How a unit behaves on the way of its alerts.

    Args:
        config: The unit's.
        mark: Kept from run to run: what came for the unit while it was away is heard by its next run.
    """
    topics = UnitTopics(config.unit.org, config.unit.id)
    return Manners(
        config.unit.id,
        (Subscription(topics.ack), Subscription(topics.commands, retain_as_published=True)),
        keepalive_s=config.uplink.heartbeat_s,
        max_payload=READ_BYTES,
        hands_over_all=True,
        mark=mark,
    )


class Paths:
    """The unit's links. `run` does the work; everything else may be called at any time from the event loop."""

    def __init__(  # noqa: PLR0913 - what links are made of
        self,
        endpoints: Mapping[str, Endpoint],
        manners: Manners,
        *,
        on_message: Callable[[Received], None],
        will: Callable[[str], Publication] | None = None,
        birth: Callable[[str], Publication] | None = None,
        on_change: Callable[[bool], None] | None = None,
        on_event: Callable[[str, PathEvent, str | None], None] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Paths that are down until `run`.

        Args:
            endpoints: By name, the preferred one first.
            manners: How to behave there. A second path has a client id of its own: the broker may be the same.
            on_message: Takes what comes; what comes over both paths, once.
            will: Makes the last will of a path's next connection.
            birth: Makes what is published first on a path's connection.
            on_change: Hears when a path came up (True), or one went down (False).
            on_event: Hears what is to be said of one of two paths, and why it is down.
            rng: Where the jitter comes from.
        """
        self._on_message = on_message
        self._on_event = on_event
        self._heard: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self.heard_twice = 0
        """Messages that came over the other path before."""
        self._unheard: set[str] = set()
        """Paths at whose end nobody listens, as far as that was told."""
        self._changed = asyncio.Event()
        """Set by the next connection of any path, and then replaced."""
        self._told_change = on_change
        self._links = {
            name: Link(
                endpoint,
                manners if name == PRIMARY else replace(manners, name=f"{manners.name}-{name}"),
                on_message=partial(self._hear, name),
                will=None if will is None else partial(will, name),
                birth=None if birth is None else partial(birth, name),
                on_change=self._link_changed,
                rng=rng,
            )
            for name, endpoint in endpoints.items()
        }

    @property
    def names(self) -> Sequence[str]:
        """The paths, the preferred one first."""
        return tuple(self._links)

    @property
    def connected(self) -> bool:
        """Whether publications can be sent now, by any path."""
        return any(link.connected for link in self._links.values())

    @property
    def trouble(self) -> str | None:
        """Why all paths are down; None while one is up."""
        if self.connected:
            return None
        return "; ".join(f"{name}: {link.trouble}" for name, link in self._links.items())

    @property
    def session(self) -> int:
        """How many connections there were, on all paths: what an earlier one was given may have been lost."""
        return sum(link.session for link in self._links.values())

    @property
    def carried_bytes(self) -> int:
        """What all paths have carried, both ways, since the unit began."""
        return sum(link.carried_bytes for link in self._links.values())

    @property
    def on_room(self) -> Callable[[], None]:
        """Called when a path has a place free again."""
        return next(iter(self._links.values())).on_room

    @on_room.setter
    def on_room(self, call: Callable[[], None]) -> None:
        for link in self._links.values():
            link.on_room = call

    async def up(self) -> None:
        """Wait until a path is up."""
        while not self.connected:
            await self._changed.wait()

    async def session_after(self, session: int) -> int:
        """Wait for a connection later than this number, and return how many there were."""
        while self.session <= session:
            await self._changed.wait()
        return self.session

    def choose(self, attempt: int, lane: Lane, *, besides: Collection[str] = ()) -> str | None:
        """The path for an attempt: odd ones go by the first, even ones by the second, if it is up and has a place.

        The first attempt prefers one where somebody listens. Later ones do not ask: a broker may be wrong about that.

        Args:
            attempt: From 1.
            lane: How important it is.
            besides: Paths that are not to be chosen.
        """
        names = [*self._links] if attempt % 2 else [*reversed(self._links)]
        if attempt == 1:
            names.sort(key=self._unheard.__contains__)
        return next((name for name in names if name not in besides and self._links[name].free_for(lane)), None)

    def free_on(self, name: str, lane: Lane) -> bool:
        """Whether a publication of this lane would go at once over this path."""
        return self._links[name].free_for(lane)

    def interface_for(self, failures: int) -> str | None:
        """The network interface for what does not go to a broker: of the first path that is up, then of the next.

        Args:
            failures: Attempts in a row that failed: each moves on to another path.
        """
        names = sorted(self._links, key=lambda name: not self._links[name].connected)
        return self._links[names[failures % len(names)]].interface

    def session_of(self, name: str) -> int:
        """How many connections there were on this path."""
        return self._links[name].session

    def lost_s(self, name: str) -> float | None:
        """When the last connection of this path was lost, by the loop's clock; None: none was."""
        return self._links[name].lost_s

    def send(self, publication: Publication, lane: Lane = Lane.TALK, by: str | None = None) -> asyncio.Future[Receipt]:
        """Hand a publication over, see `Link.send`.

        Args:
            publication: What to say.
            lane: How important it is.
            by: The path; None takes the first that is up.

        Raises:
            LinkDown: the path is down, or all are.
        """
        link = self._best() if by is None else self._links[by]
        if link is None:
            msg = f"the link is down: {self.trouble}"
            raise LinkDown(msg)
        return link.send(publication, lane)

    async def publish(self, publication: Publication, lane: Lane = Lane.TALK) -> Receipt:
        """Publish, and wait until the broker has acknowledged it.

        Raises:
            LinkDown: there is no connection, or it died before.
            PublishRefused: the broker does not take it.
        """
        return await self.send(publication, lane)

    async def beat(self, heartbeat: Publication) -> Receipt:
        """Publish a heartbeat; a path that is due to be proved carries it as well.

        Raises:
            LinkDown: there is no connection, or it died before.
            PublishRefused: the broker does not take it.
        """
        best, now_s = self._best(), asyncio.get_running_loop().time()
        for link in self._links.values():
            unheard = link.unheard_since_s is not None
            if link is not best and link.connected and (unheard or wants_proof(link.proved_s, now_s)):
                link.send(heartbeat)
        return await self.send(heartbeat)

    def hurry(self) -> None:
        """Somebody waits for help, and no path is up: try again soon, on all of them."""
        for link in self._links.values():
            link.hurry()

    def calm(self) -> None:
        """A path is up, or nobody waits for help any more: what is down may rest as usual."""
        for link in self._links.values():
            link.calm()

    async def run(self) -> None:
        """Keep all paths connected until `close`."""
        async with asyncio.TaskGroup() as group:
            links = [group.create_task(link.run(), name=f"link-{name}") for name, link in self._links.items()]
            watch = group.create_task(self._watch(), name="path-watch") if len(self._links) > 1 else None
            await asyncio.wait(links)
            if watch is not None:
                watch.cancel()

    async def close(self) -> None:
        """Leave in order, without last wills; returns when `run` has ended."""
        await asyncio.gather(*(link.close() for link in self._links.values()))

    def facts(self) -> list[dict[str, Any]]:
        """How each path is, for the heartbeat."""
        now_s = asyncio.get_running_loop().time()
        return [
            {
                "id": name,
                "up": link.connected,
                "heard": None if link.took_s is None else link.unheard_since_s is None,
                "rttMs": None if link.round_trip_s is None else round(link.round_trip_s * 1000, 1),
                "provedAgeS": None if link.proved_s is None else round(now_s - link.proved_s, 1),
            }
            for name, link in self._links.items()
        ]

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        watch = PathWatch(self._links, loop.time())
        while True:
            now_s = loop.time()
            up = {name: link.connected and proves_itself(link.took_s, now_s) for name, link in self._links.items()}
            unheard = {name: link.unheard_since_s for name, link in self._links.items()}
            for name, event in watch.look(up, now_s, unheard):
                if event is PathEvent.UNHEARD:
                    self._unheard.add(name)
                elif event is PathEvent.HEARD:
                    self._unheard.discard(name)
                if self._on_event is not None:
                    self._on_event(name, event, self._links[name].trouble or TAKES_NOTHING)
            await asyncio.sleep(LOOK_EVERY_S)

    def _best(self) -> Link | None:
        """The first that is up and leads to somebody; else the first that is up."""
        names = sorted(self._links, key=self._unheard.__contains__)
        return next((self._links[name] for name in names if self._links[name].connected), None)

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        if up:
            self.calm()
            self._changed.set()
            self._changed = asyncio.Event()
        if self._told_change is not None:
            self._told_change(up)

    def _hear(self, name: str, received: Received) -> None:
        """Take a message; an acknowledgement only if it has not come over the other path.

        A command that comes again may be the control room's repetition, because the answer was lost with a path: it
        is done once by its id, and answered again.
        """
        if len(self._links) == 1 or not received.topic.endswith(f"/{ACK}"):
            self._on_message(received)
            return
        now_s = asyncio.get_running_loop().time()
        digest = hashlib.sha256(received.topic.encode() + b"\0" + received.payload).digest()
        by, at_s = self._heard.get(digest, (name, now_s))
        if by != name and now_s - at_s <= TWICE_WITHIN_S:
            self.heard_twice += 1
            return
        self._on_message(received)
        self._heard[digest] = (name, now_s)  # only now: what could not be taken may come over the other path
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
