"""The street's ends of a unit's wires: what stays as it is on the street while units come, crash and come back."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from agent.hw.kit import BLOCK_MS
from fakes.wire import Drive, Driven, Frame, Levels, OutputChanged, Refused, Said, Scene, Step, Welcome, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DRIVEN_WITHIN_S = 60.0
"""A unit that has not taken a level by then hangs; the wire has its level all the same. One that is only late must take
the next level as long after this one as a contact does, or a press is a spike to it, which it rightly ignores."""
BLOCK_S = BLOCK_MS / 1000
BACKLOG_BYTES = 960_000
"""Thirty seconds of sound: what a slow reader may leave unread before it loses blocks. A unit's own microphone keeps
five (`agent.hw.sound_input`); a story is about what was said, and not about how long ago on a machine that is busy."""
SOCKET_BYTES = 32_000
"""What of it the kernel may hold."""


class Pins:
    """The wires of all inputs, and an ear on the outputs."""

    def __init__(self, levels: Mapping[int, bool], output_changed: Callable[[OutputChanged], None]) -> None:
        self._levels = dict(levels)
        self._output_changed = output_changed
        self._unit: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._unanswered: dict[int, asyncio.Future[float]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Work with one unit until it goes; a newer one takes the wires over."""
        self._give_up()
        self._unit = writer
        writer.write(encode(Levels(self._levels)))
        try:
            while line := await reader.readline():
                match decode(line):
                    case Driven(number, at_s) if answer := self._unanswered.pop(number, None):
                        answer.set_result(at_s)
                    case OutputChanged() as change:
                        self._output_changed(change)
        finally:
            if self._unit is writer:
                self._unit = None
                self._give_up()

    async def drive(self, pin: int, steps: tuple[Step, ...]) -> float:
        """Put these levels on an input's wire, whether a unit is there or not.

        Returns:
            When the first one was there, as exactly as is known.
        """
        self._levels[pin] = steps[-1].level
        at_s = time.monotonic()
        if self._unit is None:
            return at_s
        number = next(self._numbers)
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._unanswered[number] = answer
        self._unit.write(encode(Drive(number, pin, steps)))
        await asyncio.wait({answer}, timeout=DRIVEN_WITHIN_S + steps[-1].at_s)
        self._unanswered.pop(number, None)
        return answer.result() if answer.done() and not answer.cancelled() else at_s

    def _give_up(self) -> None:
        """The unit that had these drives is gone."""
        for answer in self._unanswered.values():
            answer.cancel()
        self._unanswered.clear()


class Sound(Protocol):
    """What there is to hear on the street (`fakes.sound`)."""

    def next_block(self) -> bytes:
        """The next `BLOCK_MS` of it."""
        ...

    def play(self, wav_path: Path, snr_db: float) -> float:
        """Begin to play a recording with the next block.

        Returns:
            Seconds from the start of the next block to the last sample of speech.
        """
        ...

    def echo(self, wav_path: Path) -> None:
        """The unit itself plays this from the next block on, in the place of what it still plays."""
        ...


class Microphones:
    """Plays the street to every microphone that is plugged in, in real time."""

    def __init__(self, sound: Sound, block_sounded: Callable[[], None]) -> None:
        self._sound = sound
        self._block_sounded = block_sounded
        self._missed: dict[asyncio.StreamWriter, int] = {}
        self.plugged = True
        """Whether the unit has a microphone."""
        self.stalled = False
        """The microphone is there and gives nothing: a hung driver."""
        self.sounded_s = time.monotonic()
        """Everything up to here has been played; the next block begins here."""

    async def run(self) -> None:
        """Sound until cancelled."""
        began_s = self.sounded_s = time.monotonic()
        for count in itertools.count(1):
            ends_s = began_s + count * BLOCK_S
            await asyncio.sleep(max(0.0, ends_s - time.monotonic()))
            pcm = self._sound.next_block()
            self.sounded_s = ends_s
            for writer in self._missed:
                self._send(writer, b"" if self.stalled else pcm)
            self._block_sounded()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one microphone hear until it hangs up or is unplugged."""
        if not self.plugged:
            writer.write(encode(Refused("it is unplugged")))
            return
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        writer.write(encode(Welcome()))
        self._missed[writer] = 0
        try:
            await reader.read()
        finally:
            del self._missed[writer]

    def unplug(self) -> None:
        """Take the microphone away."""
        self.plugged = False
        for writer in self._missed:
            writer.transport.abort()  # `close` would wait for a hung reader

    def _send(self, writer: asyncio.StreamWriter, pcm: bytes) -> None:
        if writer.transport.get_write_buffer_size() >= BACKLOG_BYTES:
            self._missed[writer] += bool(pcm)
            return
        writer.write(Frame(pcm, self.sounded_s, self._missed[writer]).to_bytes())
        self._missed[writer] = 0


class Speakers:
    """An ear on the unit's speaker."""

    def __init__(self, heard: Callable[[Said], None]) -> None:
        self._heard = heard

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Listen to one speaker until it goes."""
        writer.write(encode(Welcome()))
        while line := await reader.readline():
            self._heard(cast("Said", decode(line)))


class Cameras:
    """Shows the scene to every camera that looks at it."""

    def __init__(self) -> None:
        self.scene = Scene()
        self._looking: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Show the scene to one camera until it goes."""
        writer.write(encode(self.scene))
        self._looking.add(writer)
        try:
            await reader.read()
        finally:
            self._looking.remove(writer)

    def show(self, **changes: object) -> None:
        """Change what is to be seen, by the names of `Scene`."""
        self.scene = replace(self.scene, **changes)  # type: ignore[arg-type]  # pydantic checks each against its field
        for writer in self._looking:
            writer.write(encode(self.scene))
