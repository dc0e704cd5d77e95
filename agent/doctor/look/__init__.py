"""Where facts come from: one small file per part of `Facts`, named as the part, found by listing the folder.

Each offers `look(case: Case)` and returns its part. It may block for as long as its device does, because it runs in a
thread of a process that is left behind when it hangs (`agent.doctor.examination`). What it cannot find out it raises
as `OSError`.
"""

from __future__ import annotations

import pkgutil


def part_names() -> list[str]:
    """The parts that can be looked at, the one that all others build on first."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted((name for name in names if name not in _NO_PARTS), key=lambda name: (name != FIRST, name))


FIRST = "configuration"
_NO_PARTS = {"__main__", "asking", "case"}
