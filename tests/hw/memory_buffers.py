"""Frame buffers in plain memory, for a machine without the Pi's DMA heap."""

from __future__ import annotations

import mmap
import os
from typing import Any


class Mapped:
    """A buffer while somebody uses it; memory needs no more."""

    def __init__(self, allocator: Any, buffer: Any, _write: bool) -> None:  # noqa: ANN401, FBT001 - picamera2's signature
        self._map: mmap.mmap = allocator.maps[buffer]

    def __enter__(self) -> mmap.mmap:
        return self._map

    def __exit__(self, *_: object) -> None:
        pass


def memory_allocator() -> type:
    """A picamera2 allocator; only where the real stack is."""
    import libcamera  # noqa: PLC0415 - only where `STACK` is
    from picamera2.allocators import Allocator  # noqa: PLC0415

    class MemoryAllocator(Allocator):  # type: ignore[misc]  # picamera2 has no types
        """Frame buffers in memory files, of two planes each, as the virtual camera wants them."""

        def __init__(self) -> None:
            super().__init__()
            self.sync = Mapped
            self.maps: dict[Any, mmap.mmap] = {}
            self._buffers: dict[Any, list[Any]] = {}

        def allocate(self, configuration: Any, _use_case: object) -> None:  # noqa: ANN401
            self.close()
            for stream in configuration:
                split = stream.stride * stream.size.height
                self._buffers[stream.stream] = [
                    self._make(stream.frame_size, split) for _ in range(stream.buffer_count)
                ]

        def buffers(self, stream: Any) -> list[Any]:  # noqa: ANN401
            return self._buffers[stream]

        def close(self) -> None:
            self._buffers.clear()
            self.maps.clear()

        def _make(self, size: int, split: int) -> Any:  # noqa: ANN401
            fd = os.memfd_create("frame")
            try:
                os.ftruncate(fd, size)
                planes = []
                for offset, length in ((0, split), (split, size - split)):
                    plane = libcamera.FrameBuffer.Plane()
                    plane.fd, plane.offset, plane.length = fd, offset, length  # libcamera makes fds of its own
                    planes.append(plane)
                buffer = libcamera.FrameBuffer(planes)
                self.maps[buffer] = mmap.mmap(fd, size)
            finally:
                os.close(fd)
            return buffer

    return MemoryAllocator
