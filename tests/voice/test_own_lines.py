"""The unit stands beside its own microphone: what it says must never be taken for a call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from agent.cli.main import main
from agent.config.load import PROFILES, profile_names
from agent.hw.lines import line_path
from agent.signals import Line
from agent.voice.decision import Phrase
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.pipeline import pipelines
from fakes import SPEECH
from tests.voice.sounds import DECOYS, Street

if TYPE_CHECKING:
    from collections.abc import Iterator


def said_in(profile: str) -> Iterator[str]:
    """The phrases of a profile."""
    written = yaml.safe_load((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8"))
    yield from (phrase["say"] for phrase in written.get("voice", {}).get("phrases", ()))


def test_no_spoken_line_calls_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    phrases = sorted({phrase for profile in profile_names() for phrase in said_in(profile)})
    options = [option for phrase in phrases for option in ("--phrase", phrase)]
    call = str(SPEECH / "help-me-espeak.wav")
    assert main(["listen", *options, *(str(line_path(line)) for line in Line), call]) == 0
    heard = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["file"] for each in heard] == [call], "the call is heard, and nothing else"


@pytest.mark.parametrize("line", Line)
def test_what_the_unit_says_beside_its_own_microphone_is_not_even_suspected(line: Line) -> None:
    phrases = [
        Phrase(tuple(text.split()), text, min_confidence=0.6)
        for text in sorted({phrase for profile in profile_names() for phrase in said_in(profile)})
    ]
    pipeline = pipelines(BUNDLED_MODEL, phrases, DECOYS, refractory_s=5.0)()
    street = Street(seed=3)
    for block in street.blocks(3):
        pipeline.hear(block)
    street.speak(line)
    for block in street.blocks(5):
        assert not pipeline.hear(block)
        assert not pipeline.suspicions
