"""Causes whose alerts an operator does not want for a while.

A door that a builder opens all day, a fault known since Monday: each is quiet until it lapses by itself, and what lasts
by then is told then. A call for help is never quiet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from agent.incidents.deadlines import carried_over
from agent.incidents.memory import QuietCause, SavedQuiet
from agent.signals import HELP_CALL_KINDS, Answer, Faulted, SensorKind, Triggered, Why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.incidents.turn import Turn
    from agent.signals import QuietRequested

_LASTS: Final = frozenset({SensorKind.TAMPER, SensorKind.CAMERA, SensorKind.MAINS})
"""What these report goes on until they are restored; the others' movement and noise is over when it is over."""
_NEVER: Final = frozenset({"rules", "detectors"})
"""Parts whose faults are never quiet: the first may be the only trace of a call for help (`agent.decisions`), the
second reports what keeps other alerts back."""
CAUSES: Final = 16
"""So many at most: a unit that needs more needs an engineer."""


@dataclass
class _Quieted:
    quiet: QuietCause
    held_back: int = 0
    lasting: Triggered | Faulted | None = None
    """What would have been told and is not over."""


class Quiet:
    """Which causes are quiet, until when, and what they kept back."""

    def __init__(self, config: Config) -> None:
        cannot_be = {each.name for each in config.inputs if SensorKind(each.kind.value) in HELP_CALL_KINDS}
        self._never = cannot_be | ({config.voice.name} if config.voice.enabled else set())
        self._detectors = {each.name for each in config.inputs} - cannot_be
        if config.camera.enabled:
            self._detectors.add(config.camera.name)
        self._quieted: dict[str, _Quieted] = {}

    @property
    def due_s(self) -> float | None:
        """When the next one lapses, on the monotonic clock."""
        return min((each.quiet.until.monotonic_s for each in self._quieted.values()), default=None)

    def facts(self) -> list[Mapping[str, Any]]:
        """For the heartbeat: nothing is kept back in secret."""
        return [
            {"cause": cause, "until": each.quiet.until.wall, "by": each.quiet.by, "heldBack": each.held_back}
            for cause, each in self._quieted.items()
        ]

    def restore(self, saved: SavedQuiet, turn: Turn) -> None:
        """Go on with what was quiet before a restart; what lasts is reported again by whoever sees it.

        What nobody could ask for with the configuration of now is told again: people may call for help with it by now.
        """
        is_as_saved = True
        for each in saved.causes:
            if refused := self._refused(each.cause):
                turn.note("quiet_cause_dropped", cause=each.cause, by=each.by, reason=refused[1])
                is_as_saved = False
                continue
            until = carried_over(each.until, saved.saved, turn.now)
            self._quieted[each.cause] = _Quieted(replace(each, until=until))
        if not is_as_saved:
            self._keep(turn)

    def ask(self, request: QuietRequested, turn: Turn) -> None:
        """Quieten a cause, for longer or shorter than asked before; or let it be heard again."""
        cause = request.cause
        if refused := self._refused(cause):
            turn.refuse(request.command, *refused)
            return
        known = self._quieted.get(cause)
        until = turn.now.later(request.for_s)
        if not request.for_s:
            if known is not None:
                known.quiet = replace(known.quiet, until=until)  # lapses in this very turn
            turn.answer(request.command, Answer.DONE, f"alerts of {cause} are told")
            return
        if known is None and len(self._quieted) >= CAUSES:
            turn.refuse(request.command, Why.BUSY, f"{CAUSES} causes are quiet already: send an engineer")
            return
        quiet = QuietCause(cause, until, request.by)
        self._quieted[cause] = replace(known, quiet=quiet) if known else _Quieted(quiet)
        turn.note("cause_quieted", cause=cause, by=request.by, for_s=request.for_s)
        self._keep(turn)
        turn.answer(request.command, Answer.DONE, f"no alerts of {cause} for {request.for_s:g} s", until=until.wall)

    def holds_back(self, signal: Triggered | Faulted) -> bool:
        """Whether this is not to be told; then it is counted, and kept if it lasts."""
        is_help = isinstance(signal, Triggered) and signal.kind in HELP_CALL_KINDS
        quieted = None if is_help else self._quieted.get(_cause_of(signal))
        if quieted is None:
            return False
        quieted.held_back += 1
        if isinstance(signal, Faulted) or signal.kind in _LASTS:
            quieted.lasting = quieted.lasting or signal
        return True

    def over(self, cause: str) -> None:
        """What it is about went away."""
        if quieted := self._quieted.get(cause):
            quieted.lasting = None

    def look(self, until_s: float, turn: Turn) -> Sequence[Triggered | Faulted]:
        """Let lapse what is over; returns what lasts and is to be told now."""
        lapsed = [each for each in self._quieted.values() if each.quiet.until.monotonic_s <= until_s]
        for each in lapsed:
            del self._quieted[each.quiet.cause]
            turn.note("cause_heard_again", cause=each.quiet.cause, held_back=each.held_back)
        if lapsed:
            self._keep(turn)
        return [_now(each.lasting, turn.now) for each in lapsed if each.lasting is not None]

    def _refused(self, cause: str) -> tuple[Why, str] | None:
        part, _, code = cause.partition(":")
        if cause in self._never:
            return Why.NEVER_HELP, f"people call for help with {cause}: it is never quiet"
        if code and part in _NEVER:
            return Why.NEVER_HELP, f"{cause} may be all that is told of a call or an intruder: it is never quiet"
        if code or cause in self._detectors:
            return None
        known = ", ".join(sorted(self._detectors)) or "none"
        return Why.NOT_FOUND, f"there is no detector {cause}; there are: {known}, and faults as part:code"

    def _keep(self, turn: Turn) -> None:
        causes = tuple(each.quiet for each in self._quieted.values())
        turn.keep_quiet(SavedQuiet(turn.now, causes) if causes else None)


def _cause_of(signal: Triggered | Faulted) -> str:
    return signal.sensor if isinstance(signal, Triggered) else f"{signal.part}:{signal.code}"


def _now(signal: Triggered | Faulted, now: Moment) -> Triggered | Faulted:
    """The same as told now."""
    if isinstance(signal, Faulted):
        return replace(signal, at=now)
    return replace(signal, at=now, since=signal.since or signal.at)
