"""Finds the packets in a stream of MQTT without TLS."""

from __future__ import annotations

from typing import Final

MOST_LENGTH_BYTES: Final = 4


class PacketWatch:
    """Follows one way of a connection, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0
        """Bytes of the present packet's body that have not come yet."""

    def feed(self, data: bytes) -> list[tuple[int, int, int]]:
        """The packets whose header ends in these bytes: type, where the packet begins and where it ends in them.

        Both ends are cut off where they lie outside of these bytes.
        """
        found = []
        position = 0
        while position < len(data):
            if self._left:
                skipped = min(self._left, len(data) - position)
                self._left -= skipped
                position += skipped
                continue
            self._header.append(data[position])
            position += 1
            length = self._length()
            if length is None:
                continue
            begin = max(0, position - len(self._header))
            found.append((self._header[0] >> 4, begin, min(len(data), position + length)))
            self._left = length
            self._header.clear()
        return found

    def _length(self) -> int | None:
        """The body's length, once its last byte has come.

        Raises:
            ValueError: this is not MQTT.
        """
        lengths = self._header[1:]
        if not lengths or lengths[-1] & 0x80:
            if len(lengths) >= MOST_LENGTH_BYTES:
                msg = "a packet's length has no end: this is not MQTT"
                raise ValueError(msg)
            return None
        return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(lengths))
