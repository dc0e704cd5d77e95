"""Whatever a room of the unit says, as JSON can carry it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any


def timestamp(at: datetime) -> str:
    """ISO 8601 in UTC, with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def jsonable(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """The value as JSON can carry it, whatever it is.

    An alert is never lost because some sensor reported a NaN or an object of its own: numbers that JSON does not
    know become null, everything unknown becomes its text.
    """
    match value:
        case None | bool() | int():
            plain: Any = value
        case str():
            plain = str(value)  # an enum's value, not its name
        case float():
            plain = value if math.isfinite(value) else None
        case datetime():
            plain = timestamp(value)
        case Mapping():
            plain = {str(key): jsonable(item) for key, item in value.items()}
        case Iterable() if not isinstance(value, bytes):
            plain = [jsonable(item) for item in value]
        case _:
            plain = str(value)
    return plain
