"""A further language that loads slowly, or never."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from agent.config.hearing import LanguageSettings, PhraseSettings
from agent.voice.further import LATE_S, FurtherLanguages, Loaded, Unheard
from agent.voice.lexicon import BUNDLED_MODEL

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LIMIT_S = 60.0


def test_languages_that_do_not_load_are_told_once_and_heard_when_they_have_loaded_after_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = threading.Event()

    def stuck(model: Path) -> None:
        assert card.wait(LIMIT_S), model

    monkeypatch.setattr("agent.voice.further.prove", stuck)
    phrases = (PhraseSettings(say="help me", label="help-me"),)
    further = FurtherLanguages(
        [LanguageSettings(name=name, model=BUNDLED_MODEL, phrases=phrases) for name in ("one", "other")]
    )
    assert list(further.news(1000.0)) == []
    assert list(further.news(1000.0 + LATE_S)) == []
    told = list(further.news(1001.0 + LATE_S))
    assert [(each.name, "not loaded" in each.why) for each in told if isinstance(each, Unheard)] == [
        ("one", True),
        ("other", True),
    ]
    assert list(further.news(2000.0)) == [], "it is known"
    card.set()
    (loading,) = [thread for thread in threading.enumerate() if thread.name == "languages"]
    loading.join(LIMIT_S)
    assert [(each.name, each.late) for each in further.news(2001.0) if isinstance(each, Loaded)] == [
        ("one", True),
        ("other", True),
    ]
