"""Real mosquitto as a child process: TLS 1.3, client certificates, rights for each unit, and every way to fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING, Final, Self

from agent.uplink.topics import ROOT
from fakes.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from fakes.authority import Authority

READY_WITHIN_S: Final = 60.0
"""mosquitto listens within milliseconds; only a machine in trouble takes seconds."""
STOPPED_WITHIN_S: Final = 30.0
"""What it holds is on the disk within milliseconds; killed before that, it would have lost it."""
CONTROL_ROOM: Final = "control-room"
"""The common name of the certificate that may read what all units say, answer it, and command them by that name."""

VIDEO_SYSTEM: Final = "video-1"
"""The common name of the certificate that may read the mirror of events, and nothing else."""


class BrokerMissing(RuntimeError):
    """There is no mosquitto on this machine, or it does not start; the text says what to do."""


class Broker:
    """One mosquitto in a folder of its own, on the same port through all of its lives.

    `async with Broker(...)` starts and stops it; in between it can be stopped, killed, started again, and frozen.
    """

    def __init__(self, folder: Path, authority: Authority, *, org: str = "street", plain: bool = False) -> None:
        """Prepare a broker.

        Args:
            folder: Where its configuration, log and store lie; made when missing.
            authority: Signs its certificate, and the certificates it accepts.
            org: The scheme whose units and control room have rights here.
            plain: Also listen without TLS, with all rights: for measuring on a bench.
        """
        self._folder = folder
        self._authority = authority
        self._org = org
        self.port = free_port()
        """For TLS; on 127.0.0.1."""
        self.plain_port = free_port() if plain else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, with TLS."""
        return f"mqtts://localhost:{self.port}"

    @property
    def plain_url(self) -> str | None:
        """Where it is without TLS, when it was made so."""
        return None if self.plain_port is None else f"mqtt://localhost:{self.plain_port}"

    @property
    def log_file(self) -> Path:
        """What mosquitto says."""
        return self._folder / "mosquitto.log"

    @property
    def running(self) -> bool:
        """Whether its process lives, frozen or not."""
        return self._process is not None and self._process.poll() is None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it, and wait until it serves; what it stored in an earlier life is there again.

        Raises:
            BrokerMissing: there is none, or it ends at once.
        """
        if self.running:
            return
        program = find_mosquitto()
        for port in (self.port, self.plain_port):
            _check_free(port)
        configuration = self._write_configuration()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - outlives any one event loop; starting is instant
                [program, "-c", str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await serves(self.port):
                    if not self.running:
                        self._process = None
                        msg = f"mosquitto ended at once: {self._last_log_line()}"
                        raise BrokerMissing(msg)
                    await asyncio.sleep(0.01)  # between two looks at the condition
        except TimeoutError:
            await self.kill()
            msg = f"mosquitto did not serve within {READY_WITHIN_S:g} s: {self._last_log_line()}"
            raise BrokerMissing(msg) from None

    async def stop(self) -> None:
        """Stop it in order: it stores what it holds."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Halt it: connections stay open, and nothing answers. The half-open link of a mobile network."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)  # a frozen one could not obey
        try:
            await asyncio.to_thread(process.wait, STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            msg = "the broker is not running"
            raise RuntimeError(msg)
        self._process.send_signal(number)

    def _last_log_line(self) -> str:
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def _write_configuration(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        server = self._authority.issue_server()
        rights = self._folder / "acl"
        rights.write_text(self.rights(), encoding="utf-8")
        rights.chmod(0o600)
        lines = [
            # Settings of each listener's own would be simpler to read, but with them mosquitto 2.0.21 (Debian 13) drops
            # what comes for a client that is away: it no longer knows by which listener's rights to judge it.
            "per_listener_settings false",
            f"allow_anonymous {'false' if self.plain_port is None else 'true'}",
            f"acl_file {rights}",
            f"user {pwd.getpwuid(os.getuid()).pw_name}",  # as root it would become `mosquitto`, who sees no file here
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_on_changes true",
            "autosave_interval 1",  # with the line above: save after each change (io-lab: PUBACK is not durability)
            "max_queued_messages 100000",
            "set_tcp_nodelay true",  # else an alert waits 40 ms for the console's delayed TCP acknowledgement
            "log_dest stdout",
            "log_timestamp_format %Y-%m-%dT%H:%M:%S",
            "log_type error",
            "log_type warning",
            "log_type notice",
            f"listener {self.port} 127.0.0.1",
            f"cafile {server.ca_file}",
            f"certfile {server.cert_file}",
            f"keyfile {server.key_file}",
            "tls_version tlsv1.3",
            "require_certificate true",
            "use_identity_as_username true",
        ]
        if self.plain_port is not None:
            lines.append(f"listener {self.plain_port} 127.0.0.1")
        path = self._folder / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def rights(self) -> str:
        """A unit writes its own topics and reads what is meant for it; the control room the other way round.

        The same as in `provisioning/broker`, as a test there holds.
        """
        everyone = f"{ROOT}/{self._org}/+"
        own = f"{ROOT}/{self._org}/%u"
        for_everyone = ("status", "heartbeat", "alert/+", "incident/+", "audit", "still/+/+")
        return "\n".join(
            [
                *([] if self.plain_port is None else ["topic readwrite #"]),  # whoever comes without TLS has no name
                f"user {CONTROL_ROOM}",
                f"topic deny {ROOT}/{self._org}/{CONTROL_ROOM}/#",
                *(f"topic read {everyone}/{name}" for name in (*for_everyone, "ack", f"rsp/{CONTROL_ROOM}")),
                *(f"topic write {everyone}/{name}" for name in ("ack", f"cmd/{CONTROL_ROOM}/+")),
                *(f"pattern write {own}/{name}" for name in (*for_everyone, "rsp/+")),
                f"pattern write {own}/onvif-ej/#",
                *(f"pattern read {own}/{name}" for name in ("ack", "cmd/+/+")),
                f"user {VIDEO_SYSTEM}",
                f"topic deny {ROOT}/{self._org}/{VIDEO_SYSTEM}/#",
                f"topic read {everyone}/onvif-ej/#",
                "",
            ]
        )


async def serves(port: int) -> bool:
    """Whether a broker on 127.0.0.1 shakes hands on its port for TLS.

    mosquitto listens before it has read its certificate, and ends if it cannot: that it lets itself be connected to
    says nothing yet. Once it shakes hands, all of its ports are served.
    """
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
    except OSError:  # refused, reset, or no handshake
        return False
    writer.close()
    with contextlib.suppress(OSError):  # it misses the certificate that nobody showed
        await writer.wait_closed()
    return True


def find_mosquitto() -> str:
    """The program.

    Raises:
        BrokerMissing: there is none on this machine.
    """
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        msg = "mosquitto is not installed: `./dev demo` and `./dev test` do that, or install the package mosquitto"
        raise BrokerMissing(msg)
    return program


def _check_free(port: int | None) -> None:
    """Make sure that nobody else listens on a port: what we connected to would not be our broker.

    Raises:
        BrokerMissing: somebody does.
    """
    if port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            msg = f"port {port} is taken: {error.strerror}; end what listens there, or make another broker"
            raise BrokerMissing(msg) from error
