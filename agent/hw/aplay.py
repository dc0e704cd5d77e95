"""The speaker: each line is one `aplay` child process.

A hung sound server hangs whoever plays through it. A child can always be killed; a library in the daemon could not
(io-lab section 1). It is started in a thread, for Popen returns only when the disk has given the program; its end is
watched through its pidfd on the event loop: no thread, no polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from typing import TYPE_CHECKING, Final

import structlog

from agent.children import start_child
from agent.hw.kit import HardwareLost
from agent.hw.messages import LONGEST_S

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
START_WITHIN_S = 3.0
"""A start takes milliseconds, on a board that swaps a second; one that takes this long hangs with the disk."""


def launch(device: str, wav_path: str) -> subprocess.Popen[bytes]:
    """Start an aplay. Blocks while the disk does not give the program.

    Raises:
        OSError: it cannot be started.
    """
    return start_child(
        ("aplay", "-q", "-D", device, wav_path, "-d", f"{LONGEST_S:.0f}"),  # it may have grown since it was measured
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,  # Ctrl-C on a terminal ends the daemon, which ends this
    )


class _Playback:
    """One running aplay, reaped on the event loop.

    `on_end` hears its exit code and its last words, None as exit code when it was ended from here; `on_hang` hears
    that it plays for too long or resists being killed.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], on_end: Callable[[int | None, str], None], on_hang: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._on_hang = on_hang
        self._ending = False
        self._process = process
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

    def __init__(
        self, device: str, on_lost: LostOrBack, launch: Callable[[str, str], subprocess.Popen[bytes]] = launch
    ) -> None:
        """A speaker that is silent.

        Args:
            device: An ALSA PCM name.
            on_lost: Hears why it cannot play, and that it can again.
            launch: Starts a child that plays a file on a device; called in a thread, one at a time.
        """
        self._device = device
        self._launch = launch
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._playing: _Playback | None = None
        self._next: str | None = None
        """What waits for the one before it to free the device."""
        self._starting: asyncio.TimerHandle | None = None
        """A child is being started; runs out when that hangs."""
        self._too_late = False
        """The start has hung: what it was to say is of no use any more."""
        self._handing_over = threading.Lock()
        """Guards the next two, which the starting thread shares with the loop's."""
        self._fresh: subprocess.Popen[bytes] | None = None
        """A started child that nobody watches yet."""
        self._lost = False
        self._closed = False

    def say(self, wav_path: str) -> None:
        """Play this WAV file now, in the place of anything still playing; return at once."""
        if self._closed:
            return
        self._next = wav_path
        if self._playing is not None:
            self._playing.end()
        elif self._starting is None:
            self._play_next()

    def close(self) -> None:
        """Stop what is playing and free the device."""
        with self._handing_over:
            self._closed = True
            fresh, self._fresh = self._fresh, None
        if fresh is not None:
            _end_unwatched(fresh)
        self._next = None
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        if self._playing is not None:
            self._playing.end_now()
            self._playing = None

    def _play_next(self) -> None:
        wav_path, self._next = self._next, None
        if wav_path is None:
            return
        self._too_late = False
        self._starting = self._loop.call_later(START_WITHIN_S, self._start_hangs)
        # A daemon thread: one that hangs in the kernel must not keep the process from ending.
        threading.Thread(target=self._start, args=(wav_path,), name="aplay-start", daemon=True).start()

    def _start(self, wav_path: str) -> None:
        """Start the child; in a thread."""
        process, failed = None, None
        try:
            process = self._launch(self._device, wav_path)
        except OSError as error:
            failed = error
        with self._handing_over:
            if not self._closed:
                self._fresh = process
                with contextlib.suppress(RuntimeError):  # the loop is gone: nobody listens any more
                    self._loop.call_soon_threadsafe(self._started, failed)
                    return
                self._fresh = None
        if process is not None:
            _end_unwatched(process)

    def _start_hangs(self) -> None:
        self._too_late = True
        self._tell_lost("aplay cannot be started: the disk does not answer")

    def _started(self, failed: OSError | None) -> None:
        """The child is there, or cannot be."""
        if self._closed:
            return
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        process, self._fresh = self._fresh, None
        if process is not None:
            try:
                self._playing = _Playback(process, self._ended, self._hung)
            except OSError as error:  # no descriptor left to watch it with
                _end_unwatched(process)
                failed = error
            else:
                if self._next is not None or self._too_late:
                    self._playing.end()
                return
        if isinstance(failed, FileNotFoundError):
            self._tell_lost("aplay is not installed: apt install alsa-utils")
        else:  # no memory, no process, no descriptor left
            self._tell_lost(f"aplay cannot be started: {failed}")
        self._play_next()

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


def _end_unwatched(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):  # held by a driver: it dies when that lets go
        process.wait(REAPED_WITHIN_S)
    if process.stderr is not None:
        process.stderr.close()
