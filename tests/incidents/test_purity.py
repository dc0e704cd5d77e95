"""The rules know no clock, no chance, no files and no event loop (design.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import agent.incidents

FORBIDDEN = {"asyncio", "time", "random", "os", "io", "pathlib", "threading", "subprocess", "socket", "structlog"}
FILES = sorted(Path(agent.incidents.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_imports_what_would_make_it_impure(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today"} or _is_a_turn(node.value), ast.unparse(node)
    assert not imported & FORBIDDEN


def _is_a_turn(owner: ast.expr) -> bool:
    """`turn.now` is an argument, `datetime.now` would be a clock."""
    return ast.unparse(owner) in {"turn", "self"}
