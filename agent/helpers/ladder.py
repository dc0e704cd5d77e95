"""What was tried to get a helper to work again, and since when it has not. Pure: time is an argument.

Each rung costs more than the one below it: the helper closes and opens its device by itself (the pipeline), the daemon
starts a new process, and at last the whole machine is started anew (`agent.helpers.last_rung`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

OUTSIDE = frozenset({"disk-full", "held-only", "mount-missing", "write-failed"})
"""Troubles whose cause lies outside everything that could be started again: somebody has to come, or to decide."""


@dataclass(frozen=True)
class Standing:
    """How a helper stands on its ladder."""

    silent_s: float
    """Since its last proof of work: frames that reached the disk, sound that was heard."""
    pipeline: int
    """Restarts of its device since then."""
    process: int
    """New processes since then."""
    unkillable_s: float | None = None
    """For how long the oldest process that cannot be killed has been one; None: there is none."""
    causes: frozenset[str] = frozenset()
    """The codes of the troubles that it told and that are not over."""


@dataclass
class Ladder:
    """Counts the rungs that a helper climbed."""

    began_s: float
    """When it was first waited for, on the monotonic clock."""
    pipeline: int = 0
    """Restarts of its device since the daemon began."""
    process: int = 0
    """New processes after the first since the daemon began."""
    reboot: int = 0
    """Restarts of the machine that this unit ever asked for because of it."""
    _worked_s: float | None = None
    _pipeline_before: int = 0
    """`pipeline` at the last proof of work; what is beyond it was climbed since."""
    _process_before: int = 0
    _started: bool = False
    _unkillable: dict[int, float] = field(default_factory=dict)
    _causes: set[str] = field(default_factory=set)
    _causes_before: set[str] = field(default_factory=set)
    """Of the process before: they stand until this one works, or ends without having told them too."""

    def worked(self, now_s: float) -> None:
        """A proof of work."""
        self._worked_s = now_s
        self._pipeline_before, self._process_before = self.pipeline, self.process
        self._causes_before.clear()

    def pipeline_restarted(self) -> None:
        """The first rung."""
        self.pipeline += 1

    def process_started(self) -> None:
        """The second rung, unless it is the first process of all."""
        self.process += self._started
        self._started = True
        self._causes_before, self._causes = self._causes, set()

    def troubled(self, code: str) -> None:
        """The present process tells of this trouble."""
        self._causes.add(code)

    def untroubled(self, code: str) -> None:
        """That trouble is over."""
        self._causes.discard(code)
        self._causes_before.discard(code)

    def cannot_kill(self, pid: int, now_s: float) -> None:
        """This process does not end, whatever is done."""
        self._unkillable[pid] = now_s

    def ended_after_all(self, pid: int) -> None:
        """That process is gone."""
        self._unkillable.pop(pid, None)

    @property
    def worked_s(self) -> float | None:
        """Its last proof of work, on the monotonic clock."""
        return self._worked_s

    @property
    def unkillable(self) -> int:
        """Processes that cannot be killed."""
        return len(self._unkillable)

    def standing(self, now_s: float) -> Standing:
        """How things stand."""
        since_s = self.began_s if self._worked_s is None else self._worked_s
        return Standing(
            silent_s=now_s - since_s,
            pipeline=self.pipeline - self._pipeline_before,
            process=self.process - self._process_before,
            unkillable_s=now_s - min(self._unkillable.values()) if self._unkillable else None,
            causes=frozenset(self._causes | self._causes_before),
        )

    def facts(self) -> dict[str, int]:
        """The counts, for the heartbeat."""
        return {
            "pipeline": self.pipeline,
            "process": self.process,
            "reboot": self.reboot,
            "unkillable": self.unkillable,
        }
