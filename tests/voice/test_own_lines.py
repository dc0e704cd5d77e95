"""The unit stands beside its own microphone: what it says must never be taken for a call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from agent.cli.main import main
from agent.config.load import PROFILES, profile_names
from agent.hw.lines import line_path
from agent.signals import Line
from fakes import SPEECH

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


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
