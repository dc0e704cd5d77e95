"""The sign as one page of HTML for A4: no script, no font, no picture and no address from elsewhere.

Capital letters 1/400 of the distance high can be read by nearly everybody (the rule of thumb of sign makers, 25 mm at
10 m): from 3 m that is 7.5 mm, or 30 points in the usual typefaces. Whatever somebody must know who only passes by has
that size (22 points, for 2.2 m, where texts are long); what is for those who stop to read has 13, for a metre.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.sign.wording import Call, Sign

CHARACTERS_A_LINE: Final = 22
"""Of a phrase, in the size of `CALLS_PT` for two."""
CALLS_PT: Final = ((2, 48), (3, 40), (4, 34), (5, 30), (10_000, 22))
"""As large as all of them fit: up to so many lines, in so many points."""
FITS_CHARACTERS: Final = 190
"""Of purpose, operator, contact and phrases, where all that is to be read from 3 m has its 30 points. Tried in Chromium
with wide letters (DejaVu Sans)."""

OWN_NAMES: Final = {
    "ar": "العربية",
    "bg": "Български",
    "cy": "Cymraeg",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "sk": "Slovenčina",
    "uk": "Українська",
    "ur": "اردو",
}
"""What those who speak it call a language (ISO 639-1)."""


def page(sign: Sign) -> str:
    """The sign of this wording, as an HTML document."""
    title = escape(f"{sign.name} ({sign.unit})")
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        # Should anything of a configuration ever get past the escaping, it can still neither run nor fetch.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_own('sheet.css')}</style>\n</head>\n<body class='{_shape(sign)}'>\n"
        + "\n".join(_parts(sign))
        + "\n</body>\n</html>\n"
    )


def _shape(sign: Sign) -> str:
    """Classes of `sheet.css`."""
    return " ".join(name for name, so in (("alone", not sign.is_for_help), ("full", _is_full(sign))) if so)


def _own(name: str) -> str:
    """A file of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _parts(sign: Sign) -> Iterator[str]:
    yield f"<h1>{'Call for help here' if sign.is_for_help else 'CCTV in operation'}</h1>"
    if sign.is_for_help:
        yield '<section class="help">'
        yield from _ways(sign)
        yield f'<p class="next">{escape(sign.answer)} In danger? Dial <b>999</b> too.</p>'
        yield "</section>"
    yield f'<section class="cctv">{_own("camera.svg") if sign.cctv else ""}<div>'
    yield from (f"<p>{escape(text)}</p>" for text in (sign.cctv, f"{sign.sound}.") if text)
    yield "</div></section>"
    yield f'<section class="who"><p>Run by <b>{escape(sign.operator)}</b></p>'
    yield f"<p>Questions: <b>{escape(sign.contact)}</b></p></section>"
    yield '<section class="more">'
    yield from (f"<p>{escape(text)}</p>" for text in (sign.sound_more, sign.keeping, _asking(sign)) if text)
    place = escape(f"{sign.name}, {sign.location}")
    yield f'<p class="unit"><span>{place}</span><span>Unit {escape(sign.unit)}</span></p></section>'


def _ways(sign: Sign) -> Iterator[str]:
    if sign.has_button:
        yield f'<div class="way">{_own("button.svg")}<p>Press the button</p></div>'
    if sign.calls:
        word = "or say clearly" if sign.has_button else "Say clearly"
        yield f'<div class="way spoken">{_own("speech.svg")}<div><p>{word}</p>'
        yield f'<ul class="calls" style="font-size: {_calls_pt(sign.calls)}pt">'
        yield from map(_call, sign.calls)
        yield "</ul></div></div>"


def _call(call: Call) -> str:
    named = OWN_NAMES.get(call.language, call.language)
    tag = f' lang="{escape(call.language)}"' if call.language in OWN_NAMES else ""
    beside = f" <small>({escape(named)})</small>" if named else ""
    return f'<li><span{tag} dir="auto">“{escape(call.say)}”</span>{beside}</li>'


def _calls_pt(calls: Sequence[Call]) -> int:
    lines = sum(1 + len(call.say) // CHARACTERS_A_LINE for call in calls)
    return next(points for most, points in CALLS_PT if lines <= most)


def _is_full(sign: Sign) -> bool:
    far = len(sign.cctv or sign.sound) + len(sign.operator) + len(sign.contact)
    return far + CHARACTERS_A_LINE * len(sign.calls) > FITS_CHARACTERS


def _asking(sign: Sign) -> str:
    where = f" The whole privacy notice: {sign.notice}." if sign.notice else ""
    return f"You may ask for pictures of yourself, or complain: {sign.contact}.{where}"
