"""What SECURITY.md and the table of EN 303 645 promise: complete, and each claim with a test that is there."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import BUILT
from agent.cli.main import main
from agent.support import SUPPORTED_UNTIL

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "provisioning/etsi-en-303-645.md"
POLICY = ROOT / "SECURITY.md"
PROVISIONS = {
    "5.1": 5,
    "5.2": 3,
    "5.3": 16,
    "5.4": 4,
    "5.5": 8,
    "5.6": 9,
    "5.7": 2,
    "5.8": 3,
    "5.9": 3,
    "5.10": 1,
    "5.11": 4,
    "5.12": 3,
    "5.13": 1,
}
"""How many each section of V2.1.1 has."""
DATA_PROTECTION = 5
STATES = {"met", "partly", "not met", "n/a", "operator"}
FOREIGN_CRYPTOGRAPHY = {"Crypto", "Cryptodome", "nacl", "ecdsa", "rsa", "jose", "jwt", "pyaes", "tlslite", "OpenSSL"}
A_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}")


@dataclass(frozen=True)
class Row:
    provision: str
    asks: str
    state: str
    how: str
    shown_by: tuple[str, ...]


def rows() -> list[Row]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.match(r"[56]\.\d", cells[0]):
            provision, asks, state, how, shown = cells
            found.append(Row(provision, asks, state, how, tuple(re.findall(r"`(tests/[^`]+)`", shown))))
    return found


def test_no_provision_is_missing_and_none_stands_twice() -> None:
    wanted = [f"{section}-{i + 1}" for section, count in PROVISIONS.items() for i in range(count)]
    wanted += [f"6.{i + 1}" for i in range(DATA_PROTECTION)]
    assert [row.provision for row in rows()] == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.provision)
def test_each_provision_has_a_state_with_its_reason_and_what_is_met_a_test(row: Row) -> None:
    assert row.state in STATES
    assert row.asks
    assert row.how
    assert row.shown_by or row.state != "met"


@pytest.mark.parametrize("named", sorted({test for row in rows() for test in row.shown_by}))
def test_every_test_that_the_table_names_is_there(named: str) -> None:
    file, _, function = named.partition("::")
    assert (ROOT / file).is_file()
    assert function, "the file alone does not say which rule"
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert function in functions


def test_the_policy_says_what_the_regulations_ask_for() -> None:
    policy = POLICY.read_text(encoding="utf-8")
    for promise in ("Report a vulnerability", "5 working days", "Every **14 days**", "90 days", "What is in scope"):
        assert promise in policy
    assert TABLE.relative_to(ROOT).as_posix() in policy


def test_the_support_period_is_one_date_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    policy = POLICY.read_text(encoding="utf-8")
    assert re.findall(r"\d{4}-\d\d-\d\d", policy) == [str(SUPPORTED_UNTIL)]
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.rstrip().endswith(f", security updates until {SUPPORTED_UNTIL}")
    assert BUILT.date() < SUPPORTED_UNTIL


def test_no_key_is_in_the_source() -> None:
    assert A_KEY.search("-----BEGIN PRIVATE KEY-----\n" + 64 * "A"), "the search finds one"
    folders = ("agent", "fakes", "provisioning", "systemd", "tests", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = {path: path.read_bytes().decode("latin-1") for path in files if "__pycache__" not in path.parts}
    assert [path for path, text in texts.items() if A_KEY.search(text)] == []
    assert [path for path in texts if path.suffix in {".key", ".p12", ".pfx"}] == []


def test_there_is_no_cryptography_but_openssls() -> None:
    imported = set()
    for path in (ROOT / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    assert {"ssl", "cryptography"} <= imported, "the search sees imports"
    assert not imported & FOREIGN_CRYPTOGRAPHY
