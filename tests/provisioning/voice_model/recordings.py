"""What the builder takes of people's recordings (`build --check`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile
from voicemodel import lexicon, people

if TYPE_CHECKING:
    from pathlib import Path


def test_training_takes_nothing_of_the_recordings_that_the_bench_tests_with(tmp_path: Path) -> None:
    for place in ("alexa", "snowboy", "words that the lexicon has not: xyzzy"):
        (tmp_path / place).mkdir()
        for number in range(7):
            soundfile.write(tmp_path / place / f"{number}.wav", np.full(1600 * (number + 1), 0.1), 16_000)
    lengths = {
        tested: [
            (one.text, len(one.sound) // 1600) for one in people.recordings(tmp_path, lexicon.read(), tested=tested)
        ]
        for tested in (True, False)
    }
    assert lengths[True] == [(text, number) for text in ("alexa", "snow boy") for number in range(1, 8)]
    assert lengths[False] == [(text, number) for text in ("alexa", "snow boy") for number in (2, 3, 5, 6)]
