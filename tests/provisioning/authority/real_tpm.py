"""A unit whose key never leaves a TPM, from the token to the broker: `./dev tpm`. The TPM is swtpm, in software.

A real one is behind the kernel's resource manager, /dev/tpmrm0. Here tpm2-abrmd does the same: without one, three
objects fill a TPM, and the fourth signature fails.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import agent
from tests.provisioning.authority import tpm_unit
from tests.provisioning.authority.pilot import Pilot, Told, openssl
from tests.provisioning.authority.test_exchange import CONSOLE, render

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(agent.__file__).parents[1]
CONFIGURATION = HERE / "provisioning/authority/tpm/openssl.cnf"


@contextmanager
def running(*command: object, **more: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([*map(str, command)], text=True, **more)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def free_pair() -> int:
    """A port for the TPM; swtpm's control channel takes the next one."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a machine with a TPM."""
    missing = [name for name in ("swtpm", "tpm2-abrmd", "dbus-daemon", "tpm2_getcap") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"NO TPM HERE: {', '.join(missing)} missing; `./dev tpm` installs them")
    state, port = tmp_path / "tpm", free_pair()
    state.mkdir()
    with ExitStack() as machine:
        bus = machine.enter_context(
            running("dbus-daemon", "--session", "--nofork", "--print-address=1", stdout=subprocess.PIPE)
        )
        assert bus.stdout is not None
        environment = os.environ | {
            "DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip(),
            "TPM2OPENSSL_TCTI": "tabrmd:bus_type=session",
            "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "provisioning/authority")]),
        }
        machine.enter_context(
            running(
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear"),
                *("--server", f"type=tcp,port={port}", "--ctrl", f"type=tcp,port={port + 1}"),
            )
        )
        listens(port)
        root = ("--allow-root",) if os.geteuid() == 0 else ()
        manager = ("tpm2-abrmd", "--session", *root, f"--tcti=swtpm:host=127.0.0.1,port={port}")
        machine.enter_context(running(*manager, env=environment))
        answers(environment)
        yield environment


def listens(port: int) -> None:
    """Wait until the control channel is there; the other one takes a single client."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 1)) == 0:
                return


def answers(environment: dict[str, str]) -> None:
    """Wait until the resource manager is on the bus."""
    while subprocess.run(
        ["tpm2_getcap", "properties-fixed"], env=environment, capture_output=True, check=False
    ).returncode:
        pass


def on_the_unit(environment: dict[str, str], *command: object) -> Told:
    """Run it as the unit does: with the configuration that brings the TPM in."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment | {"OPENSSL_CONF": str(CONFIGURATION)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Told(done.returncode, done.stdout, done.stderr)


async def test_a_key_in_a_tpm_from_the_token_to_the_broker(pilot: Pilot, tpm: dict[str, str], tmp_path: Path) -> None:
    unit = pilot.unit("hk-001")
    key, slip, stick = unit.folder / "key.pem", unit.folder / "slip.txt", unit.folder / "request.csr"
    made = ("-provider", "tpm2", "-algorithm", "EC", "-pkeyopt", "group:P-256", "-out", str(key))
    await asyncio.to_thread(subprocess.run, ["openssl", "genpkey", *made], env=tpm, check=True, capture_output=True)
    assert key.read_text(encoding="ascii").startswith("-----BEGIN TSS2 PRIVATE KEY-----")
    slip.write_text(pilot.token("hk-001"), encoding="ascii")
    command = ("-m", "agent.cli.main", "certificate")
    words = ("--key", key, "--token-file", slip, "--config", unit.config)
    told = on_the_unit(tpm, *command, "request", *words)
    assert told.code == 0, told.err
    stick.write_text(told.out, encoding="ascii")
    assert "verify OK" in openssl("req", "-in", stick, "-noout", "-verify")
    answer = pilot.sign(stick)
    install = (answer, "--key", key, "--ca", pilot.root / "root.crt", "--config", unit.config)
    told = on_the_unit(tpm, *command, "install", *install)
    assert told.code == 0, told.err
    assert (unit.folder / "tls/key.pem").read_bytes() == key.read_bytes(), "a handle for this TPM, and no key"
    pilot.client("console", CONSOLE)
    async with render(pilot, tmp_path / "broker") as broker:
        for _ in range(3):
            told = await asyncio.to_thread(on_the_unit, tpm, tpm_unit.__file__, unit.config, broker.url)
            assert (told.code, told.out.splitlines()[-1:]) == (0, ["heard"]), told
