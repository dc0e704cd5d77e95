"""Who speaks: synthetic voices, most of them made from recordings of one person, split into training and held-out ones.

Two kinds, reported apart. *Recorded* voices are cut or learned from a person's recordings (flite, festival, and the
neural voices hibari, Piper and Kokoro, which PyPI packages carry whole); *formant* voices (espeak-ng) are computed, far
from human, and only spice: a model trained on them alone fails on people (voice-model report, section 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Voice:
    """One speaker with a way of speaking."""

    engine: str
    """Of `voicemodel.speak`: flite, festival, hibari, piper, kokoro, espeak."""
    name: str
    """The engine's name of it; of a Kokoro voice a mixture, "a*0.6+b*0.4"."""
    pace: float = 1.0
    """Times the usual speed."""
    pitch: float = 1.0
    """Times the usual pitch, for engines that can choose it."""

    @property
    def recorded(self) -> bool:
        """Whether it is made from a person's recordings."""
        return self.engine != "espeak"

    @property
    def title(self) -> str:
        """For tables."""
        return f"{self.engine}:{self.name} x{self.pace:g}"


FLITE = ("kal16", "slt", "awb")
FESTIVAL = ("kal_diphone", "cmu_us_slt_arctic_hts")
KOKORO = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jm_kumo")
BRITISH = ("bf_alice", "bf_emma", "bf_isabella", "bm_daniel", "bm_fable", "bm_george")
AMERICAN = (
    "af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_river af_sarah af_sky "
    "am_adam am_echo am_eric am_fenrir am_liam am_michael am_onyx am_santa"
).split()
FROM_ELSEWHERE = (
    "ef_dora em_alex em_santa ff_siwis hf_alpha hf_beta hm_omega hm_psi if_sara im_nicola pf_dora pm_alex pm_santa "
    "zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang"
).split()
"""Kokoro's voices of Spanish, French, Hindi, Italian, Portuguese and Chinese speakers, who say English here."""
ESPEAK_ACCENTS = ("en-us", "en-gb", "en-gb", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
ESPEAK_VARIANTS = (
    "m1 m2 m3 m4 m5 m6 m8 f1 f2 f3 f5 klatt klatt2 klatt3 klatt4 Alex adam Andrea Andy Annie antonio aunty "
    "belinda benjamin boris caleb david Denis Diogo ed edward Gene gustave Henrique Hugo iven Jacky john "
    "kaukovalta Lee linda marcelo Marco Mario max michael michel miguel pablo paul quincy rob robert steph Storm "
    "travis victor Zac anika grandpa grandma norbert sandro shelby"
).split()

HELD_OUT_RECORDED = (
    Voice("flite", "rms"),
    Voice("flite", "rms", pace=1.22),
    Voice("flite", "rms", pace=0.83),
    Voice("festival", "ked_diphone"),
    Voice("festival", "ked_diphone", pace=0.87),
    Voice("kokoro", "jf_tebukuro"),
    Voice("kokoro", "jf_tebukuro", pace=1.2),
)
"""Never in training, in no mixture and at no speed."""
HELD_OUT_READERS = (
    Voice("kokoro", "bf_lily"),
    Voice("kokoro", "bm_lewis"),
    Voice("kokoro", "af_nova", pace=1.15),
    Voice("kokoro", "am_puck", pace=0.9),
)
"""Two British and two American ones, held out like those; from the same network as the training's readers, so nearer to
what was learned than `HELD_OUT_RECORDED`."""
HELD_OUT_FORMANT = (
    Voice("espeak", "en-gb+f4", pace=0.8),
    Voice("espeak", "en-gb+m7", pace=0.95),
    Voice("espeak", "en-us+Alicia", pace=1.1),
    Voice("espeak", "en-gb+pedro", pace=1.05),
    Voice("espeak", "en-us+Mike", pace=0.9),
)
HELD_OUT = HELD_OUT_RECORDED + HELD_OUT_FORMANT


def training(chance: random.Random, engine: str) -> Voice:
    """Any training voice of this engine, one of `TRAINING`, with a pace and a pitch of its own."""
    pace = round(chance.uniform(0.75, 1.35), 2)
    pitch = round(chance.uniform(0.8, 1.3), 2)
    program, name = TRAINING[engine]
    return Voice(program, name(chance), pace, pitch if program in CHOOSES_PITCH else 1.0)


def _mixture(chance: random.Random) -> str:
    """A speaker between, or a little beyond, the four that training may use: nobody has quite this voice."""
    share = round(chance.uniform(-0.25, 1.25), 2)
    one, other = chance.sample(KOKORO, 2)
    return f"{one}*{share:g}+{other}*{round(1 - share, 2):g}"


def _reader(chance: random.Random, names: Sequence[str]) -> str:
    """One of these speakers, or one between two of them, or between one of them and somebody from elsewhere."""
    one = chance.choice(names)
    kind = chance.random()
    if kind < 0.35:  # noqa: PLR2004
        return one
    other = chance.choice(names if kind < 0.7 else FROM_ELSEWHERE)  # noqa: PLR2004
    share = round(chance.uniform(-0.15, 1.15), 2)
    return f"{one}*{share:g}+{other}*{round(1 - share, 2):g}"


def _accented(chance: random.Random) -> str:
    return f"{chance.choice(ESPEAK_ACCENTS)}+{chance.choice(ESPEAK_VARIANTS)}"


TRAINING: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "flite": ("flite", lambda chance: chance.choice(FLITE)),
    "festival": ("festival", lambda chance: chance.choice(FESTIVAL)),
    "hibari": ("hibari", lambda chance: chance.choice(("american", "british"))),
    "piper": ("piper", lambda _: "joe"),
    "kokoro": ("kokoro", _mixture),
    "espeak": ("espeak", _accented),
    "readers-american": ("kokoro", lambda chance: _reader(chance, AMERICAN)),
    "readers-british": ("kokoro", lambda chance: _reader(chance, BRITISH)),
    "strangers-flite": ("flite", lambda chance: chance.choice(FLITE)),
    "strangers-festival": ("festival", lambda chance: chance.choice(FESTIVAL)),
    "strangers-hibari": ("hibari", lambda chance: chance.choice(("american", "british"))),
    "strangers-piper": ("piper", lambda _: "joe"),
    "strangers-espeak": ("espeak", _accented),
    "strangers-american": ("kokoro", lambda chance: _reader(chance, AMERICAN)),
    "strangers-british": ("kokoro", lambda chance: _reader(chance, BRITISH)),
}
"""The engines of the corpus: what speaks, and who."""
SAY_ANYTHING = "strangers-"
"""These say words that the model has not (`texts.strange`)."""
CHOOSES_PITCH = {"flite", "espeak"}
