"""The power is cut and comes back: how soon people can call again. It begins in one session and ends in the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agent.commission.bench import failed, judged
from agent.commission.session import now
from agent.commission.talk import Left

if TYPE_CHECKING:
    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step

READY_WITHIN_S: Final = 60.0
"""From the kernel's start to a unit that hears its buttons (standards.md goal 8); what the board's firmware takes
before that (seconds) no program on it can measure."""


async def power(step: Step, bench: Bench) -> Result:
    """Cut it, or look at what became of it."""
    talk, progress, boot = bench.talk, bench.progress(step), bench.machine.boot_id()
    if "boot" not in progress:
        talk.tell("Take all power from the unit for ten seconds: mains and battery. This session ends with it.")
        talk.tell("When it is back, log in and call the same command: it measures what happened and goes on.")
        await talk.ask(f"{step.id}.cut", "Enter, then cut it:", str)
        progress |= {"boot": boot, "cut": now()}
        bench.session.save()
        raise Left
    if progress["boot"] == boot:
        progress.clear()
        return failed("the power was not cut since: it is still the same boot")
    cut = progress["cut"]
    if not bench.unit.hello.cut_off:
        # Another boot is not enough: `sudo reboot` leaves filesystems and outbox in an order that no cut leaves.
        progress.clear()
        return failed("the agent's last life ended in order, as before a reboot: take the power away instead", cut=cut)
    ready_s = bench.unit.hello.ready_s
    progress.clear()
    if ready_s is None:
        return failed("the unit has not read its inputs since the power came back", cut=cut)
    took_s = bench.machine.since_power_up(ready_s)
    up, _ = await bench.facts_until(
        lambda facts: True if any(each["up"] for each in facts["paths"]) else None, bench.patience.unit_s
    )
    if up is None:
        return failed("no path to the control room came back", readyAfterS=round(took_s, 1), cut=cut)
    text = f"heard its buttons {took_s:.0f} s after the kernel started (at most {READY_WITHIN_S:.0f})"
    if took_s > READY_WITHIN_S:
        text += "; was the agent restarted since? then cut the power once more"
    return judged(took_s <= READY_WITHIN_S, text, readyAfterS=round(took_s, 1), cut=cut)
