"""How each alert stands, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from agent.uplink import messages
from agent.uplink.publication import LinkDown, Publication, Receipt
from agent.uplink.standing import Standing
from tests.uplink.lab import LabClock, make_config, tell, until

if TYPE_CHECKING:
    from agent.uplink.lanes import Lane
    from agent.uplink.messages import Message

CONFIG = make_config()


class OnePath:
    """A path whose broker answers when the story says so."""

    def __init__(self) -> None:
        self.is_up = True
        self.sent: list[tuple[Publication, asyncio.Future[Receipt]]] = []

    def free_for(self, _lane: Lane) -> bool:
        return self.is_up

    def send(self, publication: Publication, _lane: Lane) -> asyncio.Future[Receipt]:
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.sent.append((publication, receipt))
        return receipt

    def break_off(self) -> None:
        self.is_up = False
        for _, receipt in self.sent:
            if not receipt.done():
                receipt.set_exception(LinkDown("it broke"))

    def revisions(self) -> list[int]:
        return [json.loads(publication.payload)["data"]["revision"] for publication, _ in self.sent]


def revision(number: int) -> Message:
    """A revision of the one alert."""
    now = LabClock().now()
    return messages.alert(
        CONFIG,
        tell("inc-1", number, now),
        sequence=number,
        recorded=now,
        attempt=1,
        late=False,
        path="primary",
        copy_lives_s=None,
    )


async def test_what_a_broken_connection_took_along_stands_with_the_next_one() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path)  # type: ignore[arg-type]
    standing.take(revision(2))
    path.break_off()
    await until(lambda: standing.waits, "it waits again")
    path.is_up = True
    standing.publish()
    assert path.revisions() == [2, 2]


async def test_an_older_revision_that_was_lost_does_not_take_the_place_of_a_newer_one() -> None:
    path = OnePath()
    standing = Standing(CONFIG.unit, path)  # type: ignore[arg-type]
    standing.take(revision(1))
    standing.take(revision(2))
    path.sent[1][1].set_result(Receipt(0.0, nobody_listening=False))
    path.break_off()
    path.is_up = True
    await asyncio.sleep(0)  # the receipts are heard of
    standing.publish()
    assert path.revisions() == [1, 2]
