"""The microphone: PortAudio's callback stream, read as blocks. Lives in the listener process, one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from agent.hw.decimator import Decimator
from agent.hw.ending import end_device
from agent.hw.intake import Intake
from agent.hw.kit import BLOCK_MS, SAMPLE_RATE_HZ, WIDE_RATE_HZ, HardwareLost, PcmBlock
from agent.hw.opening import open_device

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUE_BLOCKS = 50
"""Five seconds: a decoder that is further behind hears the past; it had better lose sound and say so."""
SILENT_AFTER_S = 1.0
"""Ten blocks that did not come. A frozen sound server gives no other sign (io-lab section 1)."""


class Stream(Protocol):
    """A running PortAudio stream."""

    def abort(self) -> None:
        """Stop without waiting for buffers."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


TakeBlock = Callable[[bytes, float, bool], None]
"""Takes a block, the age of its last sample in seconds, and whether sound was lost before it."""
OpenStream = Callable[[str | None, TakeBlock, Callable[[], None], int], Stream]
"""Opens and starts a capture on a device, with a call for each block and one for its end, at so many samples a second.
Raises `HardwareLost`."""


def open_portaudio(device: str | None, take: TakeBlock, ended: Callable[[], None], rate_hz: int) -> Stream:
    """Open and start a capture with PortAudio, which is begun anew for it; what it had open before is lost.

    PortAudio looks for devices only when it begins: one that was plugged in since, or a sound server that was started
    anew, it finds no other way (0.05 to 0.15 s; io-lab section 1).

    Raises:
        HardwareLost: no PortAudio, no such device, or it refuses mono at this rate.
    """
    try:
        import sounddevice  # noqa: PLC0415 - loads PortAudio, which only the listener may
    except OSError as error:
        msg = "PortAudio is not installed: apt install libportaudio2"
        raise HardwareLost(msg) from error

    def callback(pcm: Any, samples: int, times: Any, status: Any) -> None:  # noqa: ANN401 - sounddevice has no types
        age_s = times.currentTime - times.inputBufferAdcTime - samples / rate_hz
        take(bytes(pcm), age_s, bool(status.input_overflow))

    try:
        if sounddevice._initialized:  # noqa: SLF001 - sounddevice has no public way
            sounddevice._terminate()  # noqa: SLF001
        sounddevice._initialize()  # noqa: SLF001
        stream = sounddevice.RawInputStream(
            samplerate=rate_hz,
            blocksize=rate_hz * BLOCK_MS // 1000,
            device=device,
            channels=1,
            dtype="int16",
            callback=callback,
            finished_callback=ended,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        msg = f"the microphone {device or 'default'!r} cannot be opened at {rate_hz // 1000} kHz: {error}"
        raise HardwareLost(msg) from error
    try:
        stream.start()
    except sounddevice.PortAudioError as error:
        stream.close()
        msg = f"the microphone {device or 'default'!r} does not start: {error}"
        raise HardwareLost(msg) from error
    return stream  # type: ignore[no-any-return]  # sounddevice has no types


class DeviceMicrophone:
    """A capture of one input device: at 16 kHz, or with `wide` at 48 kHz, from which the 16 kHz are made.

    Raises:
        HardwareLost: it cannot be opened.
        HardwareHangs: the sound system does not come back from being asked to.
    """

    def __init__(self, device: str | None, open_stream: OpenStream = open_portaudio, *, wide: bool = False) -> None:
        name = f"the microphone {device or 'default'!r}"
        self._intake: Intake[PcmBlock] = Intake(name, QUEUE_BLOCKS, SILENT_AFTER_S)
        self._lost = 0
        """Lost since the last block that was queued; touched by PortAudio's thread only."""
        self._closed = False
        self._decimator = Decimator() if wide else None
        rate_hz = WIDE_RATE_HZ if wide else SAMPLE_RATE_HZ
        self._stream = open_device(
            "microphone", lambda: open_stream(device, self._take, lambda: self._intake.fail("went away"), rate_hz)
        )

    def blocks(self) -> Iterator[PcmBlock]:
        """Yield blocks in real time until closed.

        Raises:
            HardwareLost: the device went away, or gave no block for a second.
        """
        for block in self._intake:
            if self._decimator is None:
                yield block
            else:  # here, since PortAudio's own thread must not compute
                yield replace(block, pcm=self._decimator.feed(block.pcm), wide=block.pcm)

    def close(self) -> None:
        """Stop; `blocks` ends.

        Raises:
            HardwareHangs: the sound system does not come back from being stopped, and lets nobody else in.
        """
        if self._closed:
            return
        self._closed = True
        self._intake.close()
        end_device("microphone", self._end_stream)

    def _end_stream(self) -> None:
        self._stream.abort()
        self._stream.close()

    def _take(self, pcm: bytes, age_s: float, overflowed: bool) -> None:  # noqa: FBT001 - TakeBlock
        # Some ALSA plugins leave the times at zero; an age beyond a block or two is none.
        ended_s = time.monotonic() - (age_s if 0.0 <= age_s < SILENT_AFTER_S else 0.0)
        self._lost += overflowed
        if self._intake.offer(PcmBlock(pcm, ended_s, self._lost)):
            self._lost = 0
        else:
            self._lost += 1
