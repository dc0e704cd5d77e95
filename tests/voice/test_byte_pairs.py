"""A text is cut into the pieces that the network was trained to write."""

from __future__ import annotations

import pytest

from agent.voice.byte_pairs import BYTES, NotWritable, encoded, read

LETTERS = ("\u2581", "h", "e", "l", "p", "m")
JOINED = ("he", "lp", "help", "\u2581help", "\u2581m", "el")
PIECES = {piece: BYTES + number for number, piece in enumerate((*JOINED, *LETTERS))}


def table(*pieces: str, bare: int = BYTES) -> bytes:
    """As `tokenizer.bin` is written; `bare` pieces come first that are no letters."""
    written = [bytes([1, number % 256]) for number in range(bare)]
    for piece in pieces:
        said = piece.encode()
        head = [len(said)] if len(said) < 0x80 else [len(said) % 0x80 + 0x80, len(said) // 0x80]
        written.append(bytes(head) + said)
    return b"".join(written)


def test_the_pair_that_was_found_first_is_joined_first() -> None:
    assert encoded("help me", PIECES) == [PIECES["\u2581help"], PIECES["\u2581m"], PIECES["e"]]
    assert encoded("elp", PIECES) == [PIECES["\u2581"], PIECES["e"], PIECES["lp"]], "lp comes before el"


def test_what_is_written_reads_as_the_text_again() -> None:
    names = {number: piece for piece, number in PIECES.items()}
    for text in ("help", "me help me", "pelm", "e"):
        assert "".join(names[number] for number in encoded(text, PIECES)) == "\u2581" + text.replace(" ", "\u2581")


def test_a_letter_that_no_piece_has_is_told() -> None:
    with pytest.raises(NotWritable, match='no piece is "ż"'):
        encoded("help ż", PIECES)


def test_a_table_is_read_with_long_pieces_and_without_those_that_are_no_letters() -> None:
    long = "=" * 300
    assert read(table("he", long, "he")) == {"he": BYTES, long: BYTES + 1}


@pytest.mark.parametrize("cut", [1, 2, 200])
def test_a_table_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="in the middle of a piece"):
        read(table("help", "=" * 300)[:-cut])
    with pytest.raises(ValueError, match="in the middle of a piece"):
        read(b"")
