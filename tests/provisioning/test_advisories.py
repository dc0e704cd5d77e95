"""`./dev advisories`: that nothing is known is said only where something would be known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROVISIONING = Path(__file__).parents[2] / "provisioning"
PROGRAM = PROVISIONING / "advisories.py"
PIP_AUDIT = """\
#!{python}
# Answers as pip-audit 2.10 does, from a world that is told.
import json, re, sys
world = json.load(open({world!r}))
if world["unreachable"]:
    sys.stderr.write("Traceback\\nrequests.exceptions.ConnectionError: no route\\n")
    sys.exit(1)
text = open(sys.argv[sys.argv.index("--requirement") + 1]).read()
pins = re.findall(r"^([a-z0-9._-]+)==([^ \\n]+)", text, re.M)
pins = pins[world["forgets"]:] or pins
def package(name, version):
    if name == world["unknown"]:
        return {{"name": name, "skip_reason": "Dependency not found on PyPI and could not be audited"}}
    ids = world["weak"].get(name, []) if name != "urllib3" or version == "1.26.4" else []
    return {{"name": name, "version": version, "vulns": [{{"id": each, "fix_versions": ["99"]}} for each in ids]}}
found = [package(*pin) for pin in pins]
json.dump({{"dependencies": found, "fixes": []}}, sys.stdout)
sys.exit(any(each.get("vulns") for each in found))
"""


def looked(folder: Path, **world: Any) -> tuple[int, str, str]:  # noqa: ANN401 - what the world is like
    """Run it where sources are so: all there, and only what everybody knows is weak, but for what is said."""
    told = {"unreachable": False, "forgets": 0, "unknown": "", "weak": {}, **world}
    told["weak"] = {"urllib3": ["CVE-2021-33503"], **told["weak"]}
    (folder / "world.json").write_text(json.dumps(told))
    program = folder / "pip-audit"
    program.write_text(PIP_AUDIT.format(python=sys.executable, world=str(folder / "world.json")))
    program.chmod(0o755)
    argv = [sys.executable, str(PROGRAM), "--pip-audit", str(program), "--source", "osv"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def test_nothing_known_is_said_when_all_were_looked_for(tmp_path: Path) -> None:
    assert looked(tmp_path) == (0, "osv: nothing is known\n", "")


def test_a_known_weakness_is_named_with_what_mends_it(tmp_path: Path) -> None:
    version = next(
        line.partition("==")[2].split()[0]
        for line in (PROVISIONING / "constraints-cp313.txt").read_text().splitlines()
        if line.startswith("pyyaml==")
    )
    code, told, _ = looked(tmp_path, weak={"pyyaml": ["PYSEC-1"]})
    assert (code, told) == (1, f"osv: pyyaml {version}: PYSEC-1, mended by 99\n"), "once, though in both files"


def test_the_second_engine_s_packages_are_looked_for_too(tmp_path: Path) -> None:
    code, told, _ = looked(tmp_path, weak={"onnxruntime": ["PYSEC-2"]})
    assert (code, told.startswith("osv: onnxruntime ")) == (1, True)


@pytest.mark.parametrize(
    ("world", "why"),
    [
        ({"unreachable": True}, "pip-audit ended with 1: requests.exceptions.ConnectionError: no route"),
        ({"weak": {"urllib3": []}}, "it knows nothing of urllib3==1.26.4, which is known to be weak"),
        ({"unknown": "pydantic"}, "it does not know pydantic of constraints-cp311.txt (Dependency not found"),
    ],
)
def test_what_was_not_found_out_is_no_good_news(tmp_path: Path, world: dict[str, Any], why: str) -> None:
    code, told, error = looked(tmp_path, **world)
    assert (code, told) == (2, "")
    assert error.startswith("advisories: NOT FOUND OUT at osv: ")
    assert why in error
    assert error.count("\n") == 1


def test_a_package_that_was_not_asked_about_is_no_good_news(tmp_path: Path) -> None:
    code, told, error = looked(tmp_path, forgets=1)
    assert (code, told) == (2, "")
    assert "packages of constraints-cp311.txt" in error


def test_without_pip_audit_it_is_said(tmp_path: Path) -> None:
    argv = [sys.executable, str(PROGRAM), "--pip-audit", str(tmp_path / "none"), "--source", "osv"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "pip-audit did not end well" in ended.stderr
