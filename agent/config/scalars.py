"""What an unquoted scalar of a unit's file means: the core schema of YAML 1.2, and nothing of YAML 1.1.

PyYAML speaks YAML 1.1, where `no` is false, `22:00` is 1320 and `010` is 8. Here only `true` and `false` are truth
values, `22:00` and dates stay text, and `010` is ten.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config.tree import Scalar

MAX_NUMBER_LENGTH = 40
"""No number needs more characters; longer ones stay text before any arithmetic is done on them."""

# YAML 1.2 core schema (yaml.org/spec/1.2.2, 10.3.2), with one bound of our own: more digits than 18 are no quantity
# but a serial number, and stay text.
_CORE: tuple[tuple[re.Pattern[str], Callable[[str], Scalar]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"0o[0-7]{1,18}"), lambda text: int(text, 0)),
    (re.compile(r"0x[0-9a-fA-F]{1,15}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)


def core_scalar(text: str) -> Scalar:
    """What an unquoted scalar means."""
    if len(text) <= MAX_NUMBER_LENGTH:
        for pattern, meaning in _CORE:
            if pattern.fullmatch(text):
                return meaning(text)
    return text
