"""What an operator types, and what is made of it."""

from __future__ import annotations

import pytest

from agent.control_room.command_line import CommandUnclear, Typed, understood
from agent.control_room.happenings import UnitKey
from agent.signals import CommandName

COLUMN = UnitKey("ashfield", "hk-001")
KNOWN = [COLUMN, UnitKey("ashfield", "hk-002"), UnitKey("mansfield", "hk-002")]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("hk-001 set", Typed(COLUMN, CommandName.SET)),
        ("elsewhere/hk-9 still", Typed(UnitKey("elsewhere", "hk-9"), CommandName.STILL)),
        ("hk-001 light forS=60 -- a fall", Typed(COLUMN, CommandName.LIGHT, {"forS": 60}, "a fall")),
        (
            "hk-001 footage-release ref='NOTTS 26/1' reason=copied",
            Typed(COLUMN, CommandName.FOOTAGE_RELEASE, {"ref": "NOTTS 26/1", "reason": "copied"}),
        ),
        (
            """hk-001 upload file=a url=https://x/?a=b headers='{"A": "b"}'""",
            Typed(COLUMN, CommandName.UPLOAD, {"file": "a", "url": "https://x/?a=b", "headers": {"A": "b"}}),
        ),
    ],
)
def test_a_line_is_understood(line: str, meant: Typed) -> None:
    assert understood(line, KNOWN) == meant


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hk-001", "type UNIT COMMAND"),
        ("hk-001 lite forS=60", "there is no command lite; there are: still, clip"),
        ("hk-003 set", "the unit hk-003 was never heard of: say ORGANISATION/UNIT"),
        ("hk-002 set", "the unit hk-002 is in several organisations"),
        ("hk-001 light 60", "60 is no argument: say name=value"),
        ("hk-001 light 'forS=60", "quotation"),
    ],
)
def test_what_is_unclear_is_answered_with_what_to_type(line: str, told: str) -> None:
    with pytest.raises(CommandUnclear, match=told):
        understood(line, KNOWN)
