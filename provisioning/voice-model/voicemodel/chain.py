"""Lattice-free maximum mutual information (LF-MMI, Povey et al. 2016) without a lattice library.

The numerator sums over all ways in which an utterance's sounds can be spread over its frames, with or without silence
between words; the denominator over all sequences of sounds under a bigram. The difference of their frame posteriors is
the gradient. Outputs: for sound p (0 is silence) 2p on its first frame, 2p + 1 on all later ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from voicemodel.phones import PHONES, Phones

if TYPE_CHECKING:
    from collections.abc import Sequence

STATES = 1 + len(PHONES)
SILENCE = 0
NEVER = -1e30
LEAST = -60.0
"""How far a score counts below the best one of its frame: further down, 32-bit floats become 0 and 0/0."""
INDEX = {phone: number for number, phone in enumerate(PHONES, 1)}


@dataclass(frozen=True)
class Bigram:
    """How likely each sound, or silence, follows another."""

    follows: Tensor
    """From x to; rows sum to 1."""
    begins: Tensor


@dataclass(frozen=True)
class Said:
    """What a batch of utterances says."""

    sounds: Tensor
    """Batch x longest, long: silence, the sounds of a word, silence ..."""
    lengths: Tensor
    optional: Tensor
    """Whether a place may be skipped: the silences."""


def sequence(words: Sequence[Phones]) -> tuple[list[int], list[bool]]:
    """The sounds of an utterance with silence where there may be some; nothing said is silence that must be there."""
    sounds, optional = [SILENCE], [bool(words)]
    for word in words:
        sounds += [*(INDEX[phone] for phone in word), SILENCE]
        optional += [False] * len(word) + [True]
    return sounds, optional


def batch(said: Sequence[tuple[list[int], list[bool]]]) -> Said:
    """Sequences side by side."""
    longest = max(len(sounds) for sounds, _ in said)
    sounds = torch.zeros(len(said), longest, dtype=torch.long)
    optional = torch.zeros(len(said), longest, dtype=torch.bool)
    for row, (one, skipped) in enumerate(said):
        sounds[row, : len(one)] = torch.tensor(one)
        optional[row, : len(one)] = torch.tensor(skipped)
    return Said(sounds, torch.tensor([len(one) for one, _ in said]), optional)


def bigram(texts: Sequence[Sequence[Phones]], pause: float = 0.2) -> Bigram:
    """Estimated from what is said, with silence between `pause` of the words, and smoothed."""
    counts = np.zeros((STATES, STATES))
    for words in texts:
        before = SILENCE
        for word in words:
            sounds = [INDEX[phone] for phone in word]
            if before == SILENCE:
                counts[SILENCE, sounds[0]] += 1
            else:
                counts[before, SILENCE] += pause
                counts[SILENCE, sounds[0]] += pause
                counts[before, sounds[0]] += 1 - pause
            for one, other in itertools.pairwise(sounds):
                counts[one, other] += 1
            before = sounds[-1]
        counts[before, SILENCE] += 1
    alone = counts.sum(0) / counts.sum()
    follows = (counts + 30 * alone) / (counts.sum(1, keepdims=True) + 30)
    follows = 0.95 * follows + 0.05 * alone
    begins = 0.1 * follows[SILENCE]
    begins[SILENCE] = 0.9
    return Bigram(torch.tensor(follows, dtype=torch.float32), torch.tensor(begins, dtype=torch.float32))


def denominator(scores: Tensor, frames: Tensor, grammar: Bigram) -> tuple[Tensor, Tensor]:
    """Log likelihood of each row under the bigram, and the posterior of each output in each frame.

    Args:
        scores: Batch x time x 2 `STATES`.
        frames: How many of each row count.
        grammar: The bigram.
    """
    rows, length, _ = scores.shape
    top = scores.max(2, keepdim=True)[0]
    likely = (scores - top).clamp_min(LEAST).exp()
    first, later = likely[:, :, 0::2], likely[:, :, 1::2]
    mask = torch.arange(length)[None] < frames[:, None]
    forward = torch.zeros(rows, length, STATES)
    entered = torch.zeros(rows, length, STATES)
    log_scale = torch.zeros(rows)
    now = grammar.begins[None] * first[:, 0]
    entered[:, 0] = grammar.begins
    for time in range(length):
        if time:
            entering = now @ grammar.follows
            entered[:, time] = entering
            stepped = entering * first[:, time] + now * later[:, time]
        else:
            stepped = now
        total = stepped.sum(1, keepdim=True)
        inside = mask[:, time : time + 1]
        now = torch.where(inside, stepped / total, now)
        log_scale += torch.where(inside, total.log(), torch.zeros(()))[:, 0]
        forward[:, time] = now
    likelihood = log_scale + (top[:, :, 0] * mask).sum(1)
    back = torch.ones(rows, STATES)
    backward = torch.ones(rows, length, STATES)
    turned = grammar.follows.t().contiguous()
    for time in range(length - 2, -1, -1):
        stepped = (back * first[:, time + 1]) @ turned + back * later[:, time + 1]
        stepped = stepped / stepped.mean(1, keepdim=True)
        back = torch.where(mask[:, time + 1 : time + 2], stepped, back)
        backward[:, time] = back
    before = torch.cat([torch.zeros(rows, 1, STATES), forward[:, :-1]], 1)
    on_first, on_later = entered * first * backward, before * later * backward
    total = (on_first.sum(2) + on_later.sum(2)).clamp_min(1e-30)[:, :, None]
    posterior = torch.zeros(rows, length, 2 * STATES)
    posterior[:, :, 0::2] = on_first / total
    posterior[:, :, 1::2] = on_later / total
    return likelihood, posterior * mask[:, :, None]


def numerator(scores: Tensor, frames: Tensor, said: Said, grammar: Bigram) -> tuple[Tensor, Tensor]:
    """The same for the ways in which each row says what it says; a row too short for it has a likelihood of `NEVER`."""
    rows, length, _ = scores.shape
    places = said.sounds.shape[1]
    mask = torch.arange(length)[None] < frames[:, None]
    here = (2 * said.sounds)[:, None].expand(rows, length, places)
    first, later = torch.gather(scores, 2, here), torch.gather(scores, 2, here + 1)
    step, skip, start = _moves(said, grammar)
    never = torch.full((rows, 1), NEVER)
    never2 = torch.full((rows, 2), NEVER)
    now = start + first[:, 0]
    forward = torch.empty(rows, length, places)
    forward[:, 0] = now
    for time in range(1, length):
        come = torch.logaddexp(
            torch.cat([never, now[:, :-1]], 1) + step, torch.cat([never2, now], 1)[:, :places] + skip
        )
        stepped = torch.logaddexp(come + first[:, time], now + later[:, time])
        now = torch.where(mask[:, time : time + 1], stepped, now)
        forward[:, time] = now
    end = _ends(said, rows, places)
    likelihood = torch.logsumexp(now + end, 1)
    back = end
    backward = torch.empty(rows, length, places)
    backward[:, -1] = back
    step_out = torch.cat([step[:, 1:], never], 1)
    skip_out = torch.cat([skip, never2], 1)[:, 2:]
    for time in range(length - 2, -1, -1):
        ahead = back + first[:, time + 1]
        go = torch.logaddexp(
            torch.cat([ahead[:, 1:], never], 1) + step_out, torch.cat([ahead, never2], 1)[:, 2:] + skip_out
        )
        back = torch.where(mask[:, time + 1 : time + 2], torch.logaddexp(go, back + later[:, time + 1]), back)
        backward[:, time] = back
    total = (forward + backward - likelihood[:, None, None]).exp()
    stayed = torch.zeros_like(total)
    stayed[:, 1:] = (forward[:, :-1] + later[:, 1:] + backward[:, 1:] - likelihood[:, None, None]).exp()
    stayed = torch.minimum(stayed, total)
    posterior = torch.zeros(rows, length, 2 * STATES)
    posterior.scatter_add_(2, here, total - stayed)
    posterior.scatter_add_(2, here + 1, stayed)
    return likelihood, posterior * mask[:, :, None]


def _moves(said: Said, grammar: Bigram) -> tuple[Tensor, Tensor, Tensor]:
    """Log weights of coming to each place from the one before, from the one before a skipped one, and of beginning."""
    sounds, places = said.sounds, said.sounds.shape[1]
    log_follows = grammar.follows.clamp_min(1e-12).log()
    log_begins = grammar.begins.clamp_min(1e-12).log()
    never = torch.tensor(NEVER)
    inside = torch.arange(places)[None] < said.lengths[:, None]
    step = torch.full(sounds.shape, NEVER)
    step[:, 1:] = log_follows[sounds[:, :-1], sounds[:, 1:]]
    skip = torch.full(sounds.shape, NEVER)
    if places > 2:  # noqa: PLR2004
        skip[:, 2:] = torch.where(said.optional[:, 1:-1], log_follows[sounds[:, :-2], sounds[:, 2:]], never)
    start = torch.full(sounds.shape, NEVER)
    start[:, 0] = log_begins[sounds[:, 0]]
    if places > 1:
        start[:, 1] = torch.where(said.optional[:, 0] & inside[:, 1], log_begins[sounds[:, 1]], never)
    return torch.where(inside, step, never), torch.where(inside, skip, never), start


def _ends(said: Said, rows: int, places: int) -> Tensor:
    """0 at the places where a row may end: its last, and the one before an optional last."""
    row = torch.arange(rows)
    end = torch.full((rows, places), NEVER)
    end[row, said.lengths - 1] = 0
    early = (said.lengths > 1) & said.optional[row, said.lengths - 1]
    end[row[early], said.lengths[early] - 2] = 0
    return end
