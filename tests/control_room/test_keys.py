"""Keys of a terminal."""

from __future__ import annotations

import pytest

from agent.control_room.keys import Key, keys_of


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("aj", ["a", "j"]),
        ("\x1b[A\x1b[B\x1bOA\x1bOB", [Key.UP, Key.DOWN, Key.UP, Key.DOWN]),
        ("é\r\n", ["é", Key.ENTER, Key.ENTER]),
        ("\x7f\x08\x04", [Key.BACKSPACE, Key.BACKSPACE, Key.END]),
        ("\x1b", [Key.ESCAPE]),
        ("a\x1b", ["a", Key.ESCAPE]),
        ("\x00\x01\x02", []),
        ("", []),
    ],
)
def test_what_is_typed_becomes_keys(typed: str, keys: list[str]) -> None:
    assert list(keys_of(typed)) == keys


@pytest.mark.parametrize("sequence", ["\x1b[15~", "\x1b[1;5g", "\x1b[3~", "\x1b[H", "\x1bOF", "\x1b[200~"])
def test_the_letters_of_an_unknown_escape_sequence_are_no_keys(sequence: str) -> None:
    assert list(keys_of(f"j{sequence}k")) == ["j", "k"]
