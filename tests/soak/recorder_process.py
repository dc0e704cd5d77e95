"""The daemon's end of a recorder in a process of its own: what it says is kept in sums, its memory is looked at."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self

from agent.helpers.messages import Settings, Trouble, Working, encode
from tests.footage.daemon_end import said_on

if TYPE_CHECKING:
    from types import TracebackType

    from agent.config.settings import Config
    from agent.helpers.messages import Event

END_LIMIT_S = 60
"""A recorder writes what is queued, syncs and goes; one that needs longer hangs."""


class RecorderProcess:
    """Starts the recorder of a Python module, hears its proofs of work, and ends it as a daemon would."""

    def __init__(self, module: str, config: Config) -> None:
        """Start it: `python -m MODULE FD`, which prints how many frames its camera encoded when it ends."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdout=subprocess.PIPE,
                text=True,
            )
        self._sock = ours
        self.safe = 0
        """Frames that it told to be safe on the disk."""
        self.lost = 0
        """Frames that it told to be lost, by the moments of those around them."""
        self.troubles: list[str] = []
        self._reader = threading.Thread(target=self._read, name="soak-reader")
        self._reader.start()
        ours.sendall(encode(Settings(config.model_dump_json())))

    @property
    def pid(self) -> int:
        """Whose memory is looked at."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def end(self) -> int:
        """Hang up and wait until it has gone; returns how many frames its camera encoded.

        Raises:
            RuntimeError: it failed, or did not say the number.
            subprocess.TimeoutExpired: it does not end.
        """
        self._sock.shutdown(socket.SHUT_WR)
        said, _ = self._process.communicate(timeout=END_LIMIT_S)
        self._reader.join()
        if self._process.returncode != 0 or not said.strip().isdigit():
            msg = f"the recorder ended with {self._process.returncode} and said {said!r}"
            raise RuntimeError(msg)
        return int(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # nothing to one that has ended
        self._process.communicate()
        self._reader.join()
        self._sock.close()

    def _read(self) -> None:
        for event in said_on(self._sock):
            self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case Working(done=done, lost=lost):
                self.safe, self.lost = done, lost
            case Trouble(code=code, text=text):
                self.troubles.append(f"{code}: {text}")
