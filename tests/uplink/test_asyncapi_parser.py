"""The description holds before AsyncAPI's own parser (npm), not only before ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(900)  # npm may still be fetching what `./dev test` began to install

INSTALL = Path(__file__).parents[2] / "provisioning" / "contract" / "install"
ERROR = 0
"""The parser's word for a diagnostic that makes a document invalid."""
MISTAKES = {
    "a channel that is not there": ("'#/channels/ack'", "'#/channels/nack'"),
    "a schema that is not there": ("./schemas/alert.json", "./schemas/alarm.json"),
    "a version that never was": ("asyncapi: 3.0.0", "asyncapi: 3.9.0"),
    "an action that is none": ("action: receive", "action: shout"),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the parser says of our description, and of ours with each of these mistakes."""
    installed = subprocess.run([INSTALL, "parser"], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"NOBODY BUT US LOOKED AT asyncapi.yaml: {installed.stderr.strip()}")
    parser = Path(installed.stdout.strip()) / "parse.mjs"
    with resources.as_file(resources.files("agent.uplink")) as package:
        text = (package / "asyncapi.yaml").read_text(encoding="utf-8")
        files = {"as it is": package / "asyncapi.yaml"}
        for name, (right, wrong) in MISTAKES.items():
            folder = tmp_path_factory.mktemp("mistake")
            shutil.copytree(package / "schemas", folder / "schemas")
            assert right in text
            files[name] = folder / "asyncapi.yaml"
            files[name].write_text(text.replace(right, wrong), encoding="utf-8")
        parsed = subprocess.run(["node", parser, *files.values()], capture_output=True, text=True, check=True)
    return dict(zip(files, map(json.loads, parsed.stdout.splitlines()), strict=True))


def _errors(verdict: dict[str, Any]) -> list[str]:
    return [each["message"] for each in verdict["diagnostics"] if each["severity"] == ERROR]


def test_asyncapis_own_parser_finds_no_error_in_our_description(said: dict[str, dict[str, Any]]) -> None:
    ours = said["as it is"]
    assert _errors(ours) == []
    assert ours["version"] == "3.0.0"
    assert "safepoint/v1/{org}/{unit}/alert/{category}" in ours["channels"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_asyncapis_own_parser_sees_a_mistake_in_it(said: dict[str, dict[str, Any]], mistake: str) -> None:
    assert _errors(said[mistake])
