"""Phrases within a sentence: calls in the words of people ("please somebody help me"), and talk that is none.

A check that asks for silence around a phrase takes near misses away and every one of these calls with them: without
them a bench of phrases said alone would praise it. Everyday talk that holds a phrase whole is no call to anybody but
the unit.
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
EVERYDAY = tuple(
    """
can you help me with this bag
could you help me out on saturday
she used to help me with my homework
my son will help me carry it home
can you help me find my glasses
i need help with my tax form
i think i need help choosing a phone
tell her i need help in the garden
i had to call the police last year
did she call the police about her bike
they always call the police when it gets loud
why would anyone call the police over a cat
""".strip().splitlines()
)
"""Talk that holds a phrase which counts when it is said once."""


def label_of(text: str, labels: Mapping[str, str]) -> str:
    """The label of the phrase that this says, alone or within a sentence."""
    return next(label for phrase, label in labels.items() if f" {phrase} " in f" {text} ")
