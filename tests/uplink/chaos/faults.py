"""Every way in which a network fails, by name. Those that end a connection do it to the first few of them."""

from __future__ import annotations

from typing import Final

from tests.uplink.chaos.rough_network import CALM, End, Fault, Packet, Way

ALWAYS: Final = {
    "calm": CALM,
    "latency": Fault(delay_s=0.1),
    "byte at a time": Fault(piece=1, pause_s=0.001),
    "thin line": Fault(piece=128, pause_s=0.005),
    "stall in the middle": Fault(stall_at=3000, stall_s=1.0),
}
"""What every connection has."""
SLOW: Final = {
    "a byte each millisecond": Fault(piece=1, pause_s=0.001),
    "200 bytes a second": Fault(piece=20, pause_s=0.1),
    "100 bytes a second": Fault(piece=10, pause_s=0.1),
}
"""Slow loris: networks that carry just enough for nobody to hang up. Each way; an alert has about 1,000 bytes."""

_STATES: Final = {
    "in CONNECT": (Way.TO_BROKER, Packet.CONNECT),
    "in CONNACK": (Way.TO_CLIENT, Packet.CONNACK),
    "in SUBSCRIBE": (Way.TO_BROKER, Packet.SUBSCRIBE),
    "in SUBACK": (Way.TO_CLIENT, Packet.SUBACK),
    "in an alert": (Way.TO_BROKER, Packet.PUBLISH),
    "in PUBACK": (Way.TO_CLIENT, Packet.PUBACK),
    "in an acknowledgement": (Way.TO_CLIENT, Packet.PUBLISH),
}
FIRST: Final = {
    f"{end.value} {where}": Fault(end=end, end_at=state) for end in End for where, state in _STATES.items()
} | {
    "reset before anything": Fault(end=End.RESET, end_after=0),
    "reset later": Fault(end=End.RESET, end_after=20_000),
    "half-open later": Fault(end=End.HALF_OPEN, end_after=20_000),
}
"""What the first connections have; later ones are calm."""
IDLE: Final = {
    f"{end.value} {where}": Fault(end=end, end_at=state)
    for end in End
    for where, state in {
        "in PINGREQ": (Way.TO_BROKER, Packet.PINGREQ),
        "in PINGRESP": (Way.TO_CLIENT, Packet.PINGRESP),
    }.items()
}
"""What a connection has on which nothing happens."""
LEAVING: Final = {
    f"{end.value} in DISCONNECT": Fault(end=end, end_at=(Way.TO_BROKER, Packet.DISCONNECT)) for end in End
}
"""What the last words of a unit meet that is stopped."""
