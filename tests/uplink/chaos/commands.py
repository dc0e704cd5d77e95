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
from agent.uplink import messages
from agent.uplink.messages import Kind
from agent.uplink.validation import parse
from fakes.broker import CONTROL_ROOM
from fakes.town import LIMIT_S, UNIT_ID, Town
from tests.commands.mutations import CODES, mutated
from tests.system.conftest import SENSES_ONLY
from tests.system.synced_clock import synced_clock
from tests.system.test_commands import DARK, FOREIGN, TOPICS, Listener, done, good_one, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.commands.mutations import Volley

AT_ONCE: Final = 4
"""Processes of mosquitto_pub."""
EACH: Final = 100
"""Commands of one of them before the answers are waited for: together less than a broker queues (1,000)."""
ROUND_WITHIN_S: Final = 300.0
SETTLED_AFTER: Final = 0.25
"""Share of the commands after which the unit has all that it keeps for them; what it grows by later is a leak."""
GROWS_BY_MB: Final = 5.0
"""10,000 commands of which each left 1 kB behind would be twice that."""
TOO_LARGE_BYTES: Final = 140_000
"""More than a unit has its broker let through (`READ_BYTES`): a command of this
size never reaches it, so nobody refuses it and no audit has it."""


@dataclass
class Judgement:
    """What came of it."""

    sent: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By status and code."""
    too_large_unheard: bool = False
    """Of one too large for the unit's broker, neither answer nor record came."""
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
            and {code for _, code in self.answers} >= CODES
            and self.too_large_unheard
            and not self.unexplained
            and self.audited["refused"] >= self.sent
            and self.audited.keys() <= {"began", "refused", "outcome"}  # the outcome of the call in the middle
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
    async with (
        Town(folder, "safe-space", {**SENSES_ONLY, "lamp": DARK}) as town,
        Listener(town, FOREIGN, TOPICS.audit) as listener,
    ):
        await town.start_unit(**synced_clock(folder))
        used_id = await good_one(town, listener)
        listener.heard.clear()
        wrong = mutated(
            random.Random(seed), TOPICS, lambda: now().wall, min(EACH, count), console=CONTROL_ROOM, used_id=used_id
        )
        pid, called = town.unit.pid, False
        while seen.sent < count:
            call_now = not called and seen.sent + AT_ONCE * EACH > count // 2
            lamp_before = len(town.street.lamp_history)
            await asyncio.gather(_round(town, listener, [*islice(wrong, AT_ONCE)], seen), _call(town, seen, call_now))
            called |= call_now
            if not call_now:
                seen.lamp_changed += len(town.street.lamp_history) - lamp_before
            seen.rss_mb.append(_rss_mb(town.unit.pid))
            say(f"{seen.sent} sent, {seen.answers.total()} answers, the daemon has {seen.rss_mb[-1]:.1f} MB")
        seen.too_large_unheard = await _too_large(town, listener)
        seen.same_process = town.unit.running and town.unit.pid == pid
        answers = await done(town.control_room, f"{UNIT_ID} light forS=0.2")
        seen.obeys = answers[-1]["status"] == "done"
    return seen


async def _round(town: Town, listener: Listener, wrong: Iterable[Volley], seen: Judgement) -> None:
    """A volley from each program, and wait for all that is said of them."""
    volleys = [*wrong]
    await asyncio.gather(
        *(publish(town, each.topic, each.payloads, *(["-r"] if each.retain else [])) for each in volleys)
    )
    seen.sent += sum(len(each.payloads) for each in volleys)

    def is_complete() -> bool:
        _count(listener, seen)
        return seen.answers.total() >= seen.sent and seen.audited["refused"] >= seen.sent

    await listener.until(is_complete, ROUND_WITHIN_S)


async def _too_large(town: Town, listener: Listener) -> bool:
    """Send a command of `TOO_LARGE_BYTES` and one that is refused: whether of the two only this is heard of."""
    command = messages.command(
        TOPICS, CONTROL_ROOM, SystemClock().now().wall, CommandName.LIGHT, operator_ref="op-1", args={"forS": 5}
    )
    after = b"after the one that is too large"
    listener.heard.clear()
    await publish(town, command.topic, [command.publication().payload.ljust(TOO_LARGE_BYTES), after])
    await listener.until(
        lambda: bool(listener.on(FOREIGN)) and any('"refused"' in said for said in listener.on(TOPICS.audit)),
        ROUND_WITHIN_S,
    )
    return len(listener.on(FOREIGN)) == 1 and str(command.document["id"]) not in str(listener.heard)


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
