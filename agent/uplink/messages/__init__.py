"""Every message of the contract, built in one place: the unit and the control room use the same builders.

CloudEvents 1.0 in structured JSON. The schemas in `agent/uplink/schemas/` and `asyncapi.yaml` say the same to everybody
else. `message` is what all of them have in common; `alerts`, `life` and `commands` build those of one subject each.
"""

from agent.signals import Answer, CommandName
from agent.uplink.messages.alerts import CLOSED, acknowledgement, alert, cleared, standing
from agent.uplink.messages.commands import audit, command, response
from agent.uplink.messages.life import State, heartbeat, status
from agent.uplink.messages.message import TYPE_PREFIX, Document, Kind, Message, control_room_source, unit_source

__all__ = [
    "CLOSED",
    "TYPE_PREFIX",
    "Answer",
    "CommandName",
    "Document",
    "Kind",
    "Message",
    "State",
    "acknowledgement",
    "alert",
    "audit",
    "cleared",
    "command",
    "control_room_source",
    "heartbeat",
    "response",
    "standing",
    "status",
    "unit_source",
]
