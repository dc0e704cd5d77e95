"""What both helpers are told first, and say of their own work."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The first message down: what the helper works with."""

    config_json: str
    """The whole `Config` as JSON."""
    type: Literal["settings"] = "settings"


@dataclass(frozen=True)
class Working:
    """Proof of work, at least each second: sent only by the loop that does the work, when it did some."""

    done: int
    """Blocks heard or frames written since the helper began."""
    lost: int
    """Blocks or frames lost since the helper began: nothing is dropped uncounted."""
    log_lost: int = 0
    """Lines of its log lost since the helper began, because nobody read them."""
    type: Literal["working"] = "working"


@dataclass(frozen=True)
class Trouble:
    """A part of the helper's work fails; it goes on with the rest or tries again by itself."""

    code: str
    text: str
    type: Literal["trouble"] = "trouble"


@dataclass(frozen=True)
class TroubleOver:
    """What failed works again."""

    code: str
    type: Literal["trouble-over"] = "trouble-over"


@dataclass(frozen=True)
class PipelineRestarted:
    """The helper closed its device and opens it again: the first rung of the ladder, sent each time it is climbed."""

    type: Literal["pipeline-restarted"] = "pipeline-restarted"
