"""The daemon's log: one event, one line, facts as key=value, for journald (sd-daemon(3) priorities)."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog

from agent.scribe import Scribe, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict, ExcInfo, WrappedLogger

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog(3) levels; journald reads them from the prefix and `journalctl -p` filters by them."""
WRITTEN_WITHIN_S: Final = 1.0
"""For what waits at an orderly end; the whole stop has 5 s."""

_render = structlog.processors.LogfmtRenderer(key_order=["event", "alert_id"], drop_missing=True, bool_as_flag=False)
_scribe: Scribe | None = None
"""Writes the log of this process, while there is one."""


def _journal_line(logger: WrappedLogger, level: str, facts: EventDict) -> str:
    return f"<{PRIORITIES.get(level, 6)}>{_render(logger, level, facts)}"


def _without_line_breaks(_logger: WrappedLogger, _level: str, facts: EventDict) -> EventDict:
    """A stack trace or a peer's text must not look like a second event."""
    return {key: value.replace("\n", " | ") if isinstance(value, str) else value for key, value in facts.items()}


def _trace(exc_info: ExcInfo) -> str:
    """Where an exception came from: files and lines, without the words there.

    Python would read those from its sources, and a trace is wanted most when the disk with them hangs.
    """
    traced = traceback.TracebackException(*exc_info, lookup_lines=False)
    _drop_sources(traced)
    return "".join(traced.format()).rstrip("\n")


def _drop_sources(traced: traceback.TracebackException) -> None:
    traced.stack = traceback.StackSummary.from_list(
        [(frame.filename, frame.lineno or 0, frame.name, "") for frame in traced.stack]
    )
    for other in (traced.__cause__, traced.__context__, *(traced.exceptions or ())):
        if other is not None:
            _drop_sources(other)


def set_up(stream: TextIO = sys.stderr) -> None:
    """Send the log there: with priorities when journald reads it, plain for a terminal or a file."""
    _configure(structlog.WriteLoggerFactory(stream))


@contextmanager
def apart() -> Iterator[None]:
    """Send the log to standard error through a thread of its own, for a process that must never wait for its reader.

    With it goes what libraries log, and what Python itself says there. At the end what waits is written, and standard
    error is written directly again; unless its reader is stuck, for then the process would wait for it at last.
    """
    global _scribe  # noqa: PLW0603 - a process has one log
    direct = sys.stderr
    scribe = _scribe = Scribe(direct.fileno(), on_lost=_tell_lost)
    _configure(lambda *_: scribe)
    said, libraries = _Said(scribe, direct.fileno()), _Libraries()
    sys.stderr = said
    logging.getLogger().addHandler(libraries)
    try:
        yield
    finally:
        said.flush()
        logging.getLogger().removeHandler(libraries)
        if scribe.close(WRITTEN_WITHIN_S):
            sys.stderr = direct
            set_up(direct)
            _scribe = None


def standing() -> Standing:
    """How it stands with the log of this process."""
    return Standing() if _scribe is None else _scribe.standing


def _configure(logger_factory: Any) -> None:  # noqa: ANN401 - structlog takes anything that makes loggers
    for_journald = "JOURNAL_STREAM" in os.environ
    structlog.configure(
        processors=[
            structlog.processors.ExceptionRenderer(_trace),
            _without_line_breaks,
            _journal_line if for_journald else _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=logger_factory,
        cache_logger_on_first_use=False,
    )


def _tell_lost(lines: int, total: int) -> None:
    structlog.get_logger().warning("log_lines_lost", lines=lines, total=total)


class _Libraries(logging.Handler):
    """What libraries say by `logging`; asyncio does of what was raised where nobody waits."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it as an event of our own."""
        log = structlog.get_logger()
        say = log.error if record.levelno >= logging.ERROR else log.warning
        try:
            say("library_said", logger=record.name, text=record.getMessage(), exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - a message that does not fit its own words: logging's way to say so
            self.handleError(record)


class _Said(io.TextIOBase):
    """Standard error as Python itself writes to it: a warning, a trace of a thread that died."""

    def __init__(self, scribe: Scribe, fd: int) -> None:
        self._scribe = scribe
        self._fd = fd
        self._lock = threading.RLock()
        self._begun = ""
        """A line that has no end yet."""

    def fileno(self) -> int:
        """The descriptor behind it."""
        return self._fd

    def write(self, text: str) -> int:
        """Take text; each whole line is an event."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._say(line)
        return len(text)

    def flush(self) -> None:
        """Take the line that has no end."""
        with self._lock:
            begun, self._begun = self._begun, ""
        if begun:
            self._say(begun)

    def _say(self, line: str) -> None:
        structlog.get_logger().warning("said", text=line)
