"""How findings are told: as a page for a person, and as JSON for a machine."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.doctor.facts import Facts
    from agent.doctor.finding import Finding

WIDTH: Final = 96


def page(facts: Facts, found: Sequence[Finding]) -> str:
    """Everything that was found, the most important first."""
    return "\n".join(_lines(facts, found)) + "\n"


def _lines(facts: Facts, found: Sequence[Finding]) -> Iterator[str]:
    name = "this unit" if facts.config is None else f"{facts.config.unit.id} ({facts.config.unit.name})"
    if not found:
        yield f"{name}: nothing is wrong as far as this unit itself can tell."
        return
    things = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
    yield f"{name}: {things} wrong, the most important first."
    heading = None
    for number, finding in enumerate(found, 1):
        if finding.weight.words != heading:
            heading = finding.weight.words
            yield from ("", heading.upper())
        yield from _wrapped(f"{number}. ", finding.what)
        yield from _wrapped("   Fix: ", finding.fix)


def _wrapped(head: str, text: str) -> list[str]:
    # Commands and paths are copied from the screen: they are never broken within a word.
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def machine(found: Sequence[Finding]) -> str:
    """The same as JSON."""
    listed = [
        {"kind": each.kind, "weight": each.weight.name.lower(), "what": each.what, "fix": each.fix} for each in found
    ]
    return json.dumps({"findings": listed}, indent=2, ensure_ascii=False) + "\n"
