"""The daemon does not run, or not for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.facts import AGENT
from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts, Service

SETTLED_S = 600.0
"""A daemon that was started again and has run for ten minutes since has got over it."""
OFTEN = 3
LAST_WORDS = "journalctl -u safepoint-agent -n 50"
_ENDS = {
    "watchdog": "it hung, and systemd ended it",
    "oom-kill": "the machine had no memory left",
    "exit-code": "it ended with an error",
    "signal": "it was killed",
    "core-dump": "it crashed",
    "timeout": "it did not start, or not end, in time",
}


def find(facts: Facts) -> Iterator[Finding]:
    """Why it is down, or that it does not stay up."""
    agent = facts.agent
    if agent is None:
        return
    if agent.load != "loaded":
        why = "is masked" if agent.load == "masked" else "is not installed"
        fix = f"Run: sudo systemctl unmask {AGENT}" if agent.load == "masked" else "Run provisioning/provision.sh again"
        yield Finding(Weight.DOWN, f"The service {AGENT} {why}.", f"{fix}.")
        return
    if agent.active == "activating":
        yield Finding(
            Weight.DOWN,
            f"The agent is starting, for the {agent.restarts + 1}. time{_because(agent)}.",
            f"See why it ends: {LAST_WORDS}. Put right what it names; it starts again by itself.",
        )
    elif not facts.running:
        yield Finding(
            Weight.DOWN,
            f"The agent does not run ({agent.active or 'unknown'}){_because(agent)}.",
            f"Run: sudo systemctl start safepoint-agent. If it ends again, see why: {LAST_WORDS}",
        )
    elif agent.restarts >= OFTEN and (agent.up_s or 0.0) < SETTLED_S:
        yield Finding(
            Weight.SOON,
            f"The agent was started again {agent.restarts} times by itself{_because(agent)}.",
            f"See why it ended: {LAST_WORDS}. If it goes on, send a bundle (sudo safepoint doctor --bundle FILE).",
        )
    if agent.enabled == "disabled":
        yield Finding(
            Weight.SOON,
            "The agent does not come back after a power cut: its service is not enabled.",
            f"Run: sudo systemctl enable {AGENT}",
        )


def _because(agent: Service) -> str:
    return f": {_ENDS[agent.result]}" if agent.result in _ENDS else ""
