"""What the unit knows about its own state: one small file per check, found by listing this folder.

A check module offers `check(config: Config) -> Reading` and nothing else; it may block, because it runs in a thread.
Add a check by adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from agent.health.reading import Reading

if TYPE_CHECKING:
    from agent.config.settings import Config

NOT_CHECKS = {"proofs", "reading", "watch"}


def check_names() -> list[str]:
    """The checks that lie in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in NOT_CHECKS)


def check_all(config: Config) -> dict[str, Reading]:
    """Run every check; blocks as long as the slowest device. A check that fails is a reading with a fault."""
    readings = {}
    for name in check_names():
        module = importlib.import_module(f"{__name__}.{name}")
        try:
            readings[name] = module.check(config)
        except OSError as error:
            readings[name] = Reading({}, {"unreadable": f"The {name} check cannot read its source: {error}."})
    return readings
