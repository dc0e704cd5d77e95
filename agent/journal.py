"""The daemon's log: one event, one line, facts as key=value, for journald (sd-daemon(3) priorities)."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog(3) levels; journald reads them from the prefix and `journalctl -p` filters by them."""


_render = structlog.processors.LogfmtRenderer(key_order=["event", "alert_id"], drop_missing=True, bool_as_flag=False)


def _journal_line(logger: WrappedLogger, level: str, facts: EventDict) -> str:
    return f"<{PRIORITIES.get(level, 6)}>{_render(logger, level, facts)}"


def _without_line_breaks(_logger: WrappedLogger, _level: str, facts: EventDict) -> EventDict:
    """A stack trace or a peer's text must not look like a second event."""
    return {key: value.replace("\n", " | ") if isinstance(value, str) else value for key, value in facts.items()}


def set_up(stream: TextIO = sys.stderr) -> None:
    """Send the log there: with priorities when journald reads it, plain for a terminal or a file."""
    for_journald = "JOURNAL_STREAM" in os.environ
    structlog.configure(
        processors=[
            structlog.processors.format_exc_info,
            _without_line_breaks,
            _journal_line if for_journald else _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
