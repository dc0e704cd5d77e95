"""Has a typed command carried out, and says in a line each what the unit answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agent.control_room.command_line import CommandUnclear, understood
from agent.control_room.commands import CommandRefused, NoAnswer
from agent.control_room.plain_text import plain
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.validation import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.control_room.room import ControlRoom


async def have_done(room: ControlRoom, line: str, say: Callable[[str], None]) -> None:
    """Have done what was typed; every outcome is a line."""
    try:
        command = understood(line, room.desk.units)
        async for data in room.command(command):
            detail = f": {data['detail']}" if data["detail"] else ""
            result = f" {json.dumps(data['result'])}" if data.get("result") else ""
            say(plain(f"{command} {data['status']}{detail}{result}"))
    except CommandUnclear as error:
        say(plain(f"NOT SENT: {error}"))
    except (CommandRefused, NoAnswer) as error:
        say(plain(error))
    except (LinkDown, PublishRefused, MessageInvalid) as error:
        say(plain(f"NOT SENT ({line}): {error}"))
