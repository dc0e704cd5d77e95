"""The sign is one document of its own: nothing of a configuration becomes markup, and nothing comes from elsewhere."""

from __future__ import annotations

from dataclasses import fields, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from agent.sign.page import page
from agent.sign.wording import Call, Sign

SIGN = Sign(
    unit="hk-001",
    name="Central Walk",
    location="North end",
    has_button=True,
    calls=(Call("Help me"), Call("Pomóż mi", "pl")),
    answer="The control room is told.",
    cctv="CCTV is in use for public safety.",
    sound="Sound is never recorded",
    sound_more="A microphone listens.",
    keeping="Pictures are kept for 31 days.",
    operator="A Council",
    contact="01623 450000",
    notice="example.org/cctv",
)
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><svg/onload=alert(1)>",
    "&lt;b&gt; & co",
    "{sign.unit} %s $name \\n",
]


class Reader(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.values: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def _with_everywhere(text: str) -> Sign:
    changes: dict[str, Any] = {field.name: text for field in fields(Sign) if isinstance(getattr(SIGN, field.name), str)}
    return replace(SIGN, **changes, calls=(Call(text), Call(text, text)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_a_configuration_becomes_markup(attack: str) -> None:
    harmless, attacked = Reader(page(_with_everywhere("harmless"))), Reader(page(_with_everywhere(attack)))
    assert attacked.tags == harmless.tags
    # In the title, for both calls and beside the second, and once for each other text: all of it, as it was written.
    assert attacked.text.count(attack) == harmless.text.count("harmless") > 10
    assert not any(attack in value for value in attacked.values)


def test_nothing_comes_from_elsewhere_and_nothing_runs() -> None:
    made = page(SIGN)
    assert "default-src 'none'" in made
    read = Reader(made)
    assert not {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    names = {name for _, attributes in read.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "href", "xlink:href", "action"}}
    for way_out in ("http:", "https:", "//", "url(", "@import", "@font-face"):
        assert way_out not in made


def test_a_phrase_of_another_language_is_marked_as_one() -> None:
    made = page(SIGN)
    assert '<span lang="pl" dir="auto">“Pomóż mi”</span> <small>(Polski)</small>' in made
    assert "lang=" not in made.split("Help me")[0].rpartition("<li>")[2]


@pytest.mark.parametrize(("count", "points"), [(1, 48), (2, 48), (3, 40), (5, 30), (9, 22)])
def test_phrases_are_as_large_as_all_of_them_fit(count: int, points: int) -> None:
    made = page(replace(SIGN, calls=tuple(Call(f"phrase {i}") for i in range(count))))
    assert f"font-size: {points}pt" in made


def test_long_texts_make_the_rest_smaller_rather_than_leave_the_page() -> None:
    assert "<body class=''>" in page(SIGN)
    assert "<body class='full'>" in page(replace(SIGN, operator="O" * 100, contact="C" * 100))
    assert "<body class='alone'>" in page(replace(SIGN, has_button=False, calls=()))
