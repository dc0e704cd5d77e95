from __future__ import annotations

from agent.voice.muted import MUTED_AFTER_S, Hearing, MuteWatch

FLAT = b"\x05\x00" * 1600
SOUND = b"\x05\x00" * 1599 + b"\x06\x00"


def verdicts(watch: MuteWatch, pcm: bytes, since_s: float, until_s: float) -> set[Hearing]:
    return {watch.feed(pcm, since_s + count / 10) for count in range(round((until_s - since_s) * 10))}


def test_a_microphone_whose_samples_never_change_fell_silent() -> None:
    watch = MuteWatch()
    assert verdicts(watch, FLAT, 0.0, MUTED_AFTER_S - 0.1) == {Hearing.SAME}
    assert watch.feed(FLAT, MUTED_AFTER_S) is Hearing.FELL_SILENT


def test_it_is_told_once_and_its_return_is_told_once() -> None:
    watch = MuteWatch()
    verdicts(watch, FLAT, 0.0, MUTED_AFTER_S + 1)
    assert verdicts(watch, FLAT, MUTED_AFTER_S + 1, MUTED_AFTER_S + 60) == {Hearing.SAME}
    assert watch.feed(SOUND, 100.0) is Hearing.CAME_BACK
    assert watch.feed(SOUND, 100.1) is Hearing.SAME


def test_one_moving_bit_is_sound() -> None:
    watch = MuteWatch()
    for second in range(60):
        assert watch.feed(FLAT, second) is Hearing.SAME
        assert watch.feed(SOUND, second + 0.1) is Hearing.SAME
