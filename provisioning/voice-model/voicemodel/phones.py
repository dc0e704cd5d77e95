"""The sounds of speech as the model tells them apart, and how other notations are written in them."""

from __future__ import annotations

PHONES = tuple(
    "aa ae ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh".split()
)
"""The 39 sounds of the ARPAbet, with "ax" for the two neutral vowels of "about" and "cup": synthetic voices, and many
people, hardly tell them apart."""

Phones = tuple[str, ...]

_IPA = {
    **dict.fromkeys("AÆ", "ey"),
    "I": "ay",
    **dict.fromkeys("OQ", "ow"),
    "W": "aw",
    "Y": "oy",
    **dict.fromkeys("ɑɒ", "aa"),
    **dict.fromkeys("æa", "ae"),
    **dict.fromkeys("ʌəɐᵊ", "ax"),
    **dict.fromkeys("ɪᵻ", "ih"),
    **dict.fromkeys("ie", "iy"),
    "ɛ": "eh",
    **dict.fromkeys("ɜɚɝ", "er"),
    "ɔ": "ao",
    "o": "ow",
    "u": "uw",
    "ʊ": "uh",
    **{sound: sound for sound in "bdfklmnpstvwz"},
    **dict.fromkeys("ɡg", "g"),
    "h": "hh",
    "j": "y",
    "ŋ": "ng",
    **dict.fromkeys("ɹr", "r"),
    "ʃ": "sh",
    "θ": "th",
    "ð": "dh",
    "ʒ": "zh",
    "ʤ": "jh",
    "ʧ": "ch",
    **dict.fromkeys("ɾT", "d"),
    "ʔ": "t",
    "x": "k",
    "ɫ": "l",
}
"""One sign, one sound. The capitals are the diphthongs of the misaki notation that neural voices read; a tap, as in an
American "city", is nearest to "d"."""
_PAIRS = {
    "eɪ": "ey",
    "aɪ": "ay",
    "oʊ": "ow",
    "əʊ": "ow",
    "aʊ": "aw",
    "ɔɪ": "oy",
    "dʒ": "jh",
    "tʃ": "ch",
    "əɹ": "er",
    "ɜɹ": "er",
    "əl": "ax l",
    "n̩": "ax n",
    "l̩": "ax l",
    "eə": "eh",
    "ɛə": "eh",
    "oɹ": "ao r",
    "oə": "ao ax",
}
"""Two signs that are one sound; looked for first."""
_SILENT = "ˈˌːˑ.ʲ‍̩̃ ̪"
"""Stress, length, joining and dental signs: they change a sound, not which sound it is."""


def from_ipa(text: str) -> Phones:
    """The sounds of one word in the International Phonetic Alphabet (espeak's or misaki's way of writing it).

    Raises:
        ValueError: it holds a sign that is no sound of English.
    """
    plain = "".join(sign for sign in text if sign not in _SILENT)
    sounds: list[str] = []
    at = 0
    while at < len(plain):
        if (pair := plain[at : at + 2]) in _PAIRS:
            sounds += _PAIRS[pair].split()
            at += 2
        elif (sign := plain[at]) in _IPA:
            sounds.append("eh" if sign == "e" else _IPA[sign])
            at += 1
        else:
            msg = f"{sign!r} in {text!r} is no sound of English"
            raise ValueError(msg)
    return tuple(sounds)
