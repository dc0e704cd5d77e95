"""A larger voice model named in the answers: fetched over https, checked by its sum, and not fetched twice."""

from __future__ import annotations

import ssl
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from fakes.authority import Authority
from tests.provisioning.provisioner import PROVISIONING, call
from tests.provisioning.test_fetch_voice_model import NAME, Server, model_files, sum_of, zipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEP = """
CHANGES=0
ANSWER[voice_model_url]=%s ANSWER[voice_model_sha256]=%s
voice_step
printf '%%s changes, %%s\\n' "$CHANGES" "$(voice_model)"
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One that speaks TLS and has a model."""
    shown = Authority(tmp_path / "authority").issue_server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert_file, shown.key_file)
    monkeypatch.setenv("SSL_CERT_FILE", str(shown.ca_file))
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    with Server() as server:
        server.file = zipped(model_files())
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A unit that has the agent's Python."""
    python = tmp_path / "unit/opt/bin/python"
    python.parent.mkdir(parents=True)
    here = PROVISIONING.parent
    python.write_text(f'#!/bin/sh\nPYTHONPATH={here} exec {sys.executable} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return tmp_path / "unit"


def test_the_model_of_the_answers_is_installed_once(server: Server, unit: Path) -> None:
    wanted = sum_of(server.file)
    step = STEP % (f"https://localhost:{server.server_port}/{NAME}.zip", wanted)
    first = call(unit, step)
    assert first.returncode == 0, first.stderr
    installed = unit / "opt/models" / wanted[:12] / NAME
    assert first.stdout.endswith(f"1 changes, {installed}\n")
    assert (installed / "am/final.mdl").is_file()
    asked = len(server.ranges)
    again = call(unit, step)
    assert (again.returncode, again.stdout) == (0, f"0 changes, {installed}\n")
    assert len(server.ranges) == asked, "nothing is fetched twice"


def test_without_a_network_no_model_is_asked_for_anywhere(server: Server, unit: Path) -> None:
    told = call(unit, "OFFLINE=yes" + STEP % (f"https://localhost:{server.server_port}/{NAME}.zip", "0" * 64))
    assert (told.returncode, "which --offline cannot fetch" in told.stderr) == (2, True)
    assert server.ranges == []


def test_a_model_with_another_sum_is_refused_and_nothing_of_it_is_there(server: Server, unit: Path) -> None:
    told = call(unit, STEP % (f"https://localhost:{server.server_port}/{NAME}.zip", "0" * 64))
    assert (told.returncode, "correct voice_model_url and voice_model_sha256" in told.stderr) == (2, True)
    assert not [*(unit / "opt").rglob("final.mdl")]
