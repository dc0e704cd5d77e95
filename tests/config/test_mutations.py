"""However a unit file is damaged, its author gets problems, never a traceback."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.load import PROFILES, Loaded, load_config
from agent.config.problems import ConfigInvalid
from tests.config.desk import LAB

WHOLE = LAB + (PROFILES / "safe-space.yaml").read_text(encoding="utf-8")
LINES = [line for line in WHOLE.splitlines() if not line.lstrip().startswith("#")]
TOKENS = [
    "&a",
    "*a",
    "!t",
    "|",
    ">",
    "- ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "\\",
    "%",
    "\t",
    "~",
    "\0",
    "\ud800",
]

words = st.sampled_from(
    [*TOKENS, "pin", "no", "1e999", "-1", "0x7", "99999999999999999999", "<<", "..", "---", "\u2028"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["safe-space", "mqtt://x", "../..", "Europe", "key.pem", "22:00", "help me"])
)
keys = st.sampled_from([line.strip(" -").partition(":")[0] for line in LINES]) | st.text(max_size=5)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=30
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good file with a few lines lost, doubled, moved, or with something strange in them."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        column = draw(st.integers(0, len(lines[at])))
        lines[at : at + 1] = draw(
            st.sampled_from(
                [
                    [],
                    [lines[at], lines[at]],
                    [lines[at][:column]],
                    ["  " + lines[at]],
                    [lines[at].lstrip()],
                    [lines[at], draw(st.sampled_from(LINES))],
                    [lines[at][:column] + draw(words) + lines[at][column:]],
                    [lines[at].partition(":")[0] + ": " + draw(words)],
                ]
            )
        ) or [""]
    return "\n".join(lines)


def outcome(raw: bytes) -> Loaded | ConfigInvalid:
    """What comes of a file with these bytes; anything else it raises fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "unit.yaml"
        file.write_bytes(raw)
        try:
            return load_config(file)
        except ConfigInvalid as invalid:
            return invalid


def assert_told(result: Loaded | ConfigInvalid) -> None:
    if isinstance(result, ConfigInvalid):
        assert result.problems
        for problem in result.problems:
            assert str(problem).isprintable(), "one sentence on one line"
            assert problem.message


def test_the_undamaged_file_is_good() -> None:
    assert isinstance(outcome("\n".join(LINES).encode()), Loaded)


@settings(deadline=None, max_examples=150)
@given(damaged())
def test_a_damaged_file_is_told(text: str) -> None:
    assert_told(outcome(text.encode("utf-8", "surrogatepass")))


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(keys, documents, max_size=8))
def test_any_document_is_told(document: dict[str, object]) -> None:
    assert_told(
        outcome(
            yaml.safe_dump({"profile": "safe-space"} | document, allow_unicode=True).encode("utf-8", "surrogatepass")
        )
    )


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_told(raw: bytes) -> None:
    assert_told(outcome(LAB.encode() + raw))
    assert_told(outcome(raw))
