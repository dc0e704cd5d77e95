"""The second that `./dev arm64` films on the emulated processor is filmed on this one too."""

from __future__ import annotations

from tests.arm64 import inside


def test_a_second_is_filmed_stored_and_read_back() -> None:
    told = inside.second()
    assert told["frames"] == 15
    assert told["bytes"] > 10_000
