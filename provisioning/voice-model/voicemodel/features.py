"""What the network sees: Kaldi's MFCC as `conf/mfcc.conf` asks for them, by way of their logarithmic mel energies.

The energies are kept, not the coefficients: on them another vocal tract, another pace and another microphone are cheap
to imitate (`voicemodel.variety`); the coefficients are one matrix product away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemodel import RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

MELS = 40
LOW_HZ, HIGH_HZ = 20.0, 7600.0
FRAMES_PER_S = 100
LIFTER = 22
"""Kaldi's cepstral lifter."""
MFCC_CONF = f"""\
--sample-frequency={RATE_HZ}
--use-energy=false
--num-mel-bins={MELS}
--num-ceps={MELS}
--low-freq={LOW_HZ:.0f}
--high-freq={HIGH_HZ:.0f}
--dither=0
--allow-downsample=true
"""
"""What Vosk is told; no dither, so that the same sound is always heard the same."""


def log_mels(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithmic mel energies of a sound of full scale 1, frames x `MELS`, 100 a second."""
    import kaldi_native_fbank  # noqa: PLC0415 - not needed to put a model together

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = RATE_HZ
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = True
    options.frame_opts.window_type = "povey"
    options.mel_opts.num_bins = MELS
    options.mel_opts.low_freq = LOW_HZ
    options.mel_opts.high_freq = HIGH_HZ
    options.use_energy = False
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(RATE_HZ, np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.float32))
    bank.input_finished()
    frames = [bank.get_frame(number) for number in range(bank.num_frames_ready)]
    return np.array(frames, np.float32).reshape(-1, MELS)


def cosine_transform() -> NDArray[np.float32]:
    """From log mel energies to MFCC: energies @ this; the orthonormal DCT-II with Kaldi's lifter."""
    number, bin_ = np.arange(MELS)[:, None], np.arange(MELS)[None]
    matrix = np.sqrt(2 / MELS) * np.cos(np.pi / MELS * (bin_ + 0.5) * number)
    matrix[0] = np.sqrt(1 / MELS)
    matrix *= 1 + 0.5 * LIFTER * np.sin(np.pi * number / LIFTER)
    return np.asarray(matrix.T, np.float32)
