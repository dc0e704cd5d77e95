"""Sound for the microphone: a real ALSA device that plays a file, and a stream that a test plays by hand."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import TYPE_CHECKING

import pytest

from agent.hw.kit import BLOCK_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.hw.sound_input import TakeBlock

ALSA_BASE = "/usr/share/alsa/alsa.conf"
"""PortAudio aborts the process on a configuration without the usual sections."""


def noise(blocks: int) -> bytes:
    """So many blocks in which no sample is where another one could be."""
    return random.Random(7).randbytes(2 * BLOCK_SAMPLES * blocks)


@contextlib.contextmanager
def alsa_device_that_plays(pcm: bytes, folder: Path) -> Iterator[str]:
    """A capture device that plays this and then silence, much faster than real time; gives its name."""
    try:
        import sounddevice  # noqa: PLC0415 - it loads PortAudio, which may be missing
    except OSError:
        pytest.skip("PortAudio is missing, so capture from a real device is NOT tested: apt install libportaudio2")
    raw = folder / "street.raw"
    raw.write_bytes(pcm)
    alsa = folder / "asound.conf"
    alsa.write_text(
        f"<{ALSA_BASE}>\n"
        "pcm.bench_silence { type null }\n"
        f'pcm.bench_street {{ type file slave.pcm "bench_silence" file "/dev/null" infile "{raw}" format "raw" }}\n',
        encoding="ascii",
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALSA_CONFIG_PATH", str(alsa))
        sounddevice._terminate()  # PortAudio lists its devices once
        sounddevice._initialize()
        yield "bench_street"
    sounddevice._terminate()
    sounddevice._initialize()


class BenchStream:
    """A PortAudio stream in the test's hand: it calls back on a thread of its own, as PortAudio does."""

    def __init__(self) -> None:
        self.closed = False
        self._thawed = threading.Event()
        self._thawed.set()
        self._take: TakeBlock | None = None
        self._ended: Callable[[], None] | None = None

    def open(self, device: str | None, take: TakeBlock, ended: Callable[[], None], rate_hz: int) -> BenchStream:
        """Be opened by a microphone: its `open_stream`."""
        self._thawed.wait()
        self.device, self.rate_hz = device, rate_hz
        self._take, self._ended = take, ended
        return self

    def sound(self, *blocks: bytes, age_s: float = 0.0, overflowed: bool = False) -> None:
        """Deliver these blocks."""
        assert self._take is not None
        for block in blocks:
            self._call_back(self._take, block, age_s, overflowed)

    def vanish(self) -> None:
        """Be unplugged."""
        assert self._ended is not None
        self._call_back(self._ended)

    def freeze(self) -> None:
        """Hang as on a stopped sound server: neither `open` nor `abort` returns."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Let them return."""
        self._thawed.set()

    def abort(self) -> None:
        self._thawed.wait()

    def close(self) -> None:
        self.closed = True

    @staticmethod
    def _call_back(call: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=call, args=arguments)
        thread.start()
        thread.join()
