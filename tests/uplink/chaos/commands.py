"""Wrong commands by the thousand, from foreign programs over a real broker to a real daemon, and a call amid them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.clock import SystemClock
from agent.signals import Category, CommandName, Outcome
from agent.uplink.messages import Kind
from agent.uplink.validation import parse
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S, UNIT_ID, Town
from tests.commands.mutations import mutated
from tests.system.conftest import SENSES_ONLY
from tests.system.test_commands import DARK, FOREIGN, TOPICS, Listener, done, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE: Final = 4
"""Processes of mosquitto_pub."""
EACH: Final = 100
"""Commands of one of them before the answers are waited for: together less than a broker queues (1,000)."""
ROUND_WITHIN_S: Final = 300.0
SETTLED_AFTER: Final = 0.25
"""Share of the commands after which the unit has all that it keeps for them; what it grows by later is a leak."""
GROWS_BY_MB: Final = 5.0
"""10,000 commands of which each left 1 kB behind would be twice that."""


@dataclass
class Judgement:
    """What came of it."""

    sent: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By status and code."""
    unexplained: int = 0
    """Answers without a code or a reason."""
    audited: Counter[str] = field(default_factory=Counter)
    """Records by what happened."""
    lamp_changed: int = 0
    call_s: float = 0.0
    """From a press in the middle to the desk; 0: it did not come there."""
    rss_mb: list[float] = field(default_factory=list)
    """Of the daemon, after each round."""
    same_process: bool = False
    obeys: bool = False
    """A good command is still carried out."""

    @property
    def grew_mb(self) -> float:
        """By how much the daemon grew once it had settled."""
        settled = self.rss_mb[int(len(self.rss_mb) * SETTLED_AFTER) :]
        return settled[-1] - settled[0]

    @property
    def held(self) -> bool:
        """Whether all were refused with reasons and audited, none was carried out, and the unit is unharmed."""
        refused = sum(count for (status, _), count in self.answers.items() if status == "refused")
        return (
            refused == self.answers.total() >= self.sent
            and not self.unexplained
            and self.audited["refused"] >= self.sent
            and self.audited.keys() <= {"began", "refused"}
            and not self.lamp_changed
            and self.call_s > 0
            and self.same_process
            and self.obeys
            and self.grew_mb < GROWS_BY_MB
        )


async def wrong_commands(folder: Path, count: int, seed: int, say: Callable[[str], None]) -> Judgement:
    """Send them, press a button in the middle, send a good one at the end."""
    seen = Judgement()
    now = SystemClock().now
    wrong = mutated(
        random.Random(seed), TOPICS, lambda: now().wall, CommandName.LIGHT, {"forS": 5}, console=CONTROL_ROOM
    )
    async with (
        Town(folder, "safe-space", {**SENSES_ONLY, "lamp": DARK}) as town,
        Listener(town, FOREIGN, TOPICS.audit) as listener,
    ):
        await town.start_unit()
        pid, called = town.unit.pid, False
        while seen.sent < count:
            call_now = not called and seen.sent + AT_ONCE * EACH > count // 2
            lamp_before = len(town.street.lamp_history)
            await asyncio.gather(
                _round(town, listener, islice(wrong, count - seen.sent), seen), _call(town, seen, call_now)
            )
            called |= call_now
            if not call_now:
                seen.lamp_changed += len(town.street.lamp_history) - lamp_before
            seen.rss_mb.append(_rss_mb(town.unit.pid))
            say(f"{seen.sent} sent, {seen.answers.total()} answers, the daemon has {seen.rss_mb[-1]:.1f} MB")
        seen.same_process = town.unit.running and town.unit.pid == pid
        answers = await done(town.control_room, f"{UNIT_ID} light forS=0.2")
        seen.obeys = answers[-1]["status"] == "done"
    return seen


async def _round(town: Town, listener: Listener, wrong: Iterator[bytes], seen: Judgement) -> None:
    """Some from each program, and wait for all that is said of them."""
    shares = [share for _ in range(AT_ONCE) if (share := [*islice(wrong, EACH)])]
    topic = TOPICS.command(CONTROL_ROOM, CommandName.LIGHT)
    await asyncio.gather(*(publish(town, topic, share) for share in shares))
    seen.sent += sum(len(share) for share in shares)

    def is_complete() -> bool:
        _count(listener, seen)
        return seen.answers.total() >= seen.sent and seen.audited["refused"] >= seen.sent

    await listener.until(is_complete, ROUND_WITHIN_S)


def _count(listener: Listener, seen: Judgement) -> None:
    """Take account of what was heard since the last look."""
    heard = listener.heard.copy()
    listener.heard.clear()
    for topic, payload in heard:
        if topic == TOPICS.audit:
            seen.audited[parse(Kind.AUDIT, payload.encode())["data"]["what"]] += 1
        else:
            answer = parse(Kind.RESPONSE, payload.encode())["data"]
            seen.answers[answer["status"], answer["code"]] += 1
            seen.unexplained += not (answer["code"] and answer["detail"])


async def _call(town: Town, seen: Judgement, wanted: bool) -> None:  # noqa: FBT001 - whether there is to be one
    """Press the button while commands come; it is over when the lamp is dark again."""
    if not wanted:
        return
    pressed_s = time.monotonic()
    await town.street.press("panic-1")
    call = await town.alert(Category.HELP)
    seen.call_s = call.first.received.monotonic_s - pressed_s
    await town.control_room.close_alert(call.alert_id, Outcome.TEST, "chaos", "chaos")
    await town.control_room.wait_for(lambda _: call.closed, LIMIT_S)
    await town.street.lamp_is(lit=False)


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024
