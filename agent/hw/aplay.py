"""The speaker: each line is one `aplay` child process.

A hung sound server hangs whoever plays through it. A child can always be killed; a library in the daemon could not
(io-lab section 1). The child's end is watched through its pidfd on the event loop: no thread, no polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from typing import TYPE_CHECKING, Final

import structlog

from agent.hw.kit import HardwareLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.hw.kit import LostOrBack

log = structlog.get_logger()

LINE_LIMIT_S = 18.0
"""No line is longer than 5 s and no stored message than 15 s; whatever still plays after that hangs."""
TERM_GRACE_S = 0.2
"""aplay frees its device within milliseconds of SIGTERM; one that hangs is killed after this."""
REAPED_WITHIN_S = 1.0
"""A killed process is gone in milliseconds unless a driver holds it in the kernel, where nothing reaches it."""
SAID_LIMIT_BYTES = 16 * 1024


class _Playback:
    """One running aplay, reaped on the event loop.

    `on_end` hears its exit code and its last words, None as exit code when it was ended from here; `on_hang` hears
    that it plays for too long or resists being killed.
    """

    def __init__(
        self, device: str, wav_path: str, on_end: Callable[[int | None, str], None], on_hang: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._on_hang = on_hang
        self._ending = False
        self._process = subprocess.Popen(
            ("aplay", "-q", "-D", device, wav_path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,  # Ctrl-C on a terminal ends the daemon, which ends this
        )
        self._pidfd: Final = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._ended)
        self._timer = self._loop.call_later(LINE_LIMIT_S, self._overran)

    def end(self) -> None:
        """Ask for its end, and see to it when that is not enough."""
        if not self._ending:
            self._ending = True
            self._process.terminate()
            self._set_timer(TERM_GRACE_S, self._kill)

    def end_now(self) -> None:
        """End it and wait for that: a few milliseconds, 1.2 s at most when the device hangs."""
        self._process.terminate()
        try:
            self._process.wait(TERM_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # held by a driver: it dies when that lets go
                self._process.wait(REAPED_WITHIN_S)
        self._release()

    def _overran(self) -> None:
        self._on_hang()
        self.end()

    def _kill(self) -> None:
        self._process.kill()
        self._set_timer(REAPED_WITHIN_S, self._on_hang)

    def _set_timer(self, wait_s: float, then: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(wait_s, then)

    def _ended(self) -> None:
        exit_code = self._process.wait()
        said = self._said()
        self._release()
        self._on_end(None if self._ending else exit_code, said)

    def _said(self) -> str:
        """The last line on its standard error: why it failed."""
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe, see Popen above
        os.set_blocking(self._process.stderr.fileno(), False)
        said = self._process.stderr.read(SAID_LIMIT_BYTES) or b""
        return said.decode(errors="replace").strip().rpartition("\n")[2]

    def _release(self) -> None:
        self._timer.cancel()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        if self._process.stderr is not None:
            self._process.stderr.close()


class ApSpeaker:
    """Plays WAV files on an ALSA device, the newest one in the place of any other.

    Needs a running event loop. `say` never raises: what could not be played is told to `on_lost`, on the loop.
    """

    def __init__(self, device: str, on_lost: LostOrBack) -> None:
        self._device = device
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._playing: _Playback | None = None
        self._next: str | None = None
        """What waits for the one before it to free the device."""
        self._lost = False
        self._closed = False

    def say(self, wav_path: str) -> None:
        """Play this WAV file now, in the place of anything still playing; return at once."""
        if self._closed:
            return
        self._next = wav_path
        if self._playing is None:
            self._play_next()
        else:
            self._playing.end()

    def close(self) -> None:
        """Stop what is playing and free the device."""
        self._closed = True
        self._next = None
        if self._playing is not None:
            self._playing.end_now()
            self._playing = None

    def _play_next(self) -> None:
        wav_path, self._next = self._next, None
        if wav_path is None:
            return
        try:
            self._playing = _Playback(self._device, wav_path, self._ended, self._hung)
        except FileNotFoundError:
            self._tell_lost("aplay is not installed: apt install alsa-utils")
        except OSError as error:  # no memory, no process, no descriptor left
            self._tell_lost(f"aplay cannot be started: {error}")

    def _ended(self, exit_code: int | None, said: str) -> None:
        self._playing = None
        if exit_code == 0:
            self._tell_back()
        elif exit_code is not None:
            self._tell_lost(f"aplay cannot play on {self._device!r}: {said or f'exit code {exit_code}'}")
        self._play_next()

    def _hung(self) -> None:
        self._tell_lost(f"the sound device {self._device!r} hangs")

    def _tell_lost(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            log.error("speaker_lost", device=self._device, reason=reason)
            self._loop.call_soon(self._on_lost, HardwareLost(reason))

    def _tell_back(self) -> None:
        if self._lost:
            self._lost = False
            log.info("speaker_back", device=self._device)
            self._loop.call_soon(self._on_lost, None)
