"""What the filler word [unk] takes for talk: how sounds follow each other in words, learned from sentences."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from voicemodel import chain, texts
from voicemodel.assemble import Filler
from voicemodel.lexicon import usual

if TYPE_CHECKING:
    from voicemodel.lexicon import Lexicon

SENTENCES = 20_000


def filler(lexicon: Lexicon, scale: float) -> Filler:
    """The filler of everyday talk, at this operating point."""
    chance = random.Random(5)
    said = [usual(lexicon, texts.sentence(chance).split()) for _ in range(SENTENCES)]
    within = chain.bigram(said, pause=0.0).follows[1:, 1:].double()
    alone = chain.bigram([[word[0]] for word in lexicon.values()], pause=0.0).follows[0, 1:].double()
    return Filler(
        (alone / alone.sum()).numpy(),
        (within / within.sum(1, keepdim=True)).numpy(),
        scale,
    )
