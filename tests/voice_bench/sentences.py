"""Calls within a sentence, in the words of people rather than in those of the sign alone: "please somebody help me".

A check that asks for silence around a phrase takes near misses away and every one of these with them: without them a
bench of phrases said alone would praise it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTENCES = tuple(
    """
please somebody help me
oh my god help me please
help me quickly he has a knife
can anyone hear me help me
somebody call the police now
could you call the police right away
quick call the police he hit me
oh no call the police
i need help over here
please i need help quickly
hello i need help my husband fell
listen i need help now
please help he is not breathing
please help somebody is hurt
oh god please help us
please help my daughter
""".strip().splitlines()
)
"""Four of each phrase of the sign, none of which training says; two phrases stand in none."""


def label_of(text: str, labels: Mapping[str, str]) -> str:
    """The label of the phrase that this says, alone or within a sentence."""
    return next(label for phrase, label in labels.items() if f" {phrase} " in f" {text} ")
