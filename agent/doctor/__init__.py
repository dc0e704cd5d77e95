"""`safepoint doctor`: what is wrong with this unit, in order of importance, each with its fix.

Facts are gathered at the edges, in a process that may hang (`agent.doctor.look`), and judged here by pure functions:
one small file per kind of finding in `agent.doctor.kinds`, found by listing the folder. A kind offers
`find(facts: Facts) -> Iterator[Finding]` and nothing else. Add a kind by adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.doctor import kinds

if TYPE_CHECKING:
    from agent.doctor.facts import Facts
    from agent.doctor.finding import Finding


def kind_names() -> list[str]:
    """The kinds of finding there are."""
    return sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))


def findings(facts: Facts) -> list[Finding]:
    """Everything that is wrong by these facts, the most important first."""
    found = [
        replace(finding, kind=name)
        for name in kind_names()
        for finding in importlib.import_module(f"{kinds.__name__}.{name}").find(facts)
    ]
    return sorted(found, key=lambda finding: finding.weight)
