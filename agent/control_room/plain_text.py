"""Words from the network, made harmless before anybody reads them."""

from __future__ import annotations

import unicodedata

LONGEST = 400
"""Characters of one text; a schema-valid headline is shorter, and a screen has no room for more."""
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that act instead of showing: terminal escapes, direction overrides, joiners, line breaks."""


def plain(text: object, longest: int = LONGEST) -> str:
    """The text as characters that only show.

    A unit's certificate says who wrote a message, not that its words are kind to a terminal: an escape sequence
    in a headline could recolour, hide or answer another alert. Each character that acts becomes a visible `·`.

    Args:
        text: What the message carried; None becomes the empty text.
        longest: Characters that are kept; a longer text ends in `…`.
    """
    if text is None:
        return ""
    words = str(text)
    shown = "".join("·" if unicodedata.category(mark) in _UNSAFE else mark for mark in words[:longest])
    return shown if len(words) <= longest else shown[: longest - 1] + "…"
