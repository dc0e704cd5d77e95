"""What the recorder is ordered to do with footage, by whoever has the right to it, and how that ended."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the types of messages
from typing import Literal

from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class StillOrder:
    """Make a still of this moment of wall time, for whoever asked; of no incident."""

    order_id: str
    """Also the name of the folder in which it is made."""
    at: datetime
    type: Literal["still-order"] = "still-order"


@dataclass(frozen=True)
class ClipOrder:
    """Cut a clip of this interval of wall time, once its footage is there."""

    order_id: str
    start: datetime
    end: datetime
    type: Literal["clip-order"] = "clip-order"


@dataclass(frozen=True)
class HoldOrder:
    """Keep the footage of this interval until it is released."""

    order_id: str
    ref: str
    reason: str
    by: str
    made: datetime
    start: datetime
    end: datetime
    type: Literal["hold-order"] = "hold-order"


@dataclass(frozen=True)
class ReleaseOrder:
    """End the hold of this reference."""

    order_id: str
    ref: str
    reason: str
    by: str
    made: datetime
    type: Literal["release-order"] = "release-order"


@dataclass(frozen=True)
class OrderDone:
    """An order was carried out."""

    order_id: str
    text: str
    facts: dict[str, str | int | float | bool]
    type: Literal["order-done"] = "order-done"


@dataclass(frozen=True)
class OrderRefused:
    """An order cannot be carried out, and will not be."""

    order_id: str
    code: str
    """Of `agent.signals.Why`."""
    text: str
    type: Literal["order-refused"] = "order-refused"


Order = StillOrder | ClipOrder | HoldOrder | ReleaseOrder
