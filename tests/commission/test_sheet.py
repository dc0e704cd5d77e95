"""The sheet shows what was signed, and nothing that somebody typed becomes a part of the page."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from agent.commission.conclusion import pictures_of
from agent.commission.sheet import sheet_of

if TYPE_CHECKING:
    from pathlib import Path

NASTY = "<script>alert('x')</script> & $title \"quoted\""


def result(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    unit = dict.fromkeys(("org", "id", "name", "location", "profile", "camera"), NASTY)
    return {
        "unit": unit | {"latitude": None, "longitude": None, "widthPx": 640, "heightPx": 360},
        "engineer": NASTY,
        "began": "2026-11-22T20:00:00+00:00",
        "ended": "2026-11-22T21:00:00+00:00",
        "passed": True,
        "software": "1.0",
        "edition": "EN 62676-4:2015",
        "masks": [{"name": NASTY, "points": [[0, 0], [0.5, 0], [0.5, 0.5]]}],
        "countersigned": None,
        "steps": [
            {
                "id": "still.day",
                "title": NASTY,
                "outcome": "passed",
                "text": NASTY,
                "facts": {"file": "day.jpg", "taken": NASTY, "list": [NASTY], "map": {NASTY: NASTY}},
            },
            {"id": "lamp", "title": "Lamp", "outcome": "not-done", "text": "not done", "facts": {}},
        ],
    } | changes


def test_what_was_typed_is_shown_and_is_no_part_of_the_page() -> None:
    sheet = sheet_of(result(), {"day.jpg": b"\xff\xd8"}, "ab" * 32)
    assert "<script" not in sheet
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; $title" in sheet
    assert "data:image/jpeg;base64,/9g=" in sheet
    assert "points='0,0 320,0 320,180'" in sheet


def test_a_picture_that_was_altered_since_is_not_on_it(tmp_path: Path) -> None:
    taken = b"\xff\xd8 as it was taken"
    (tmp_path / "day.jpg").write_bytes(taken)
    found = result()
    found["steps"][0]["facts"]["sha256"] = hashlib.sha256(taken).hexdigest()
    assert "data:image/jpeg" in sheet_of(found, pictures_of(found, tmp_path), "ab" * 32)
    (tmp_path / "day.jpg").write_bytes(taken + b"!")
    assert pictures_of(found, tmp_path) == {}
    assert "data:image/jpeg" not in sheet_of(found, pictures_of(found, tmp_path), "ab" * 32)


def test_what_was_not_passed_or_not_done_is_seen_at_once() -> None:
    sheet = sheet_of(result(passed=False), {}, "ab" * 32)
    assert "NOT PASSED: every alert of this unit is a test" in sheet
    assert "NOT DONE" in sheet
    assert "not countersigned" in sheet


def test_the_operator_stands_on_it() -> None:
    signed = {"operatorRef": "op-7", "code": "4711", "alertId": "a-1", "note": None, "digest": "d" * 16}
    sheet = sheet_of(result(countersigned=signed), {}, "ab" * 32)
    for words in ("op-7", "4711", "d" * 16, "ab" * 32):
        assert words in sheet
