"""Loads the further languages of a unit while its main one is heard already.

A large model takes seconds to try and to load, one on a failing card may take for ever, and a broken one may never
load: none of that may cost the main language.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.voice.language import Language, WordUnknown, phrases_of
from agent.voice.lexicon import ModelUnusable
from agent.voice.probe import prove

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config.hearing import LanguageSettings

log = structlog.get_logger()


LATE_S = 90.0
"""A language that takes longer is told as unheard, and so are those after it. The largest English model loads in under
20 s from a good card; a boot that is busy with everything else takes some times that. Sooner than a fault of the last
life that nobody tells again is taken for over (`course.PROOF_S`)."""


@dataclass(frozen=True)
class Loaded:
    """A language that can be heard from now on."""

    name: str
    language: Language
    late: bool
    """Whether it was told as unheard before."""


@dataclass(frozen=True)
class Unheard:
    """A language that this process does not hear, or not yet."""

    name: str
    why: str
    """The end of a sentence."""


class FurtherLanguages:
    """The configured languages beside the main one, as far as they are loaded."""

    def __init__(self, wanted: Sequence[LanguageSettings]) -> None:
        """Begin to load them, one after the other."""
        self.loaded: list[Language] = []
        """Those that `news` has told of."""
        self._news: queue.SimpleQueue[tuple[str, Language] | Unheard] = queue.SimpleQueue()
        self._awaited = [each.name for each in wanted]
        self._late: set[str] = set()
        self._since_s: float | None = None
        if wanted:
            # A daemon: a model that never loads must not keep the process from ending.
            threading.Thread(target=self._load, args=(wanted,), name="languages", daemon=True).start()

    def news(self, now_s: float) -> Iterator[Loaded | Unheard]:
        """Yield what was loaded, could not be, or is late, since the last call."""
        while not self._news.empty():  # nobody else takes from it
            match self._news.get():
                case Unheard() as unheard:
                    self._awaited.remove(unheard.name)
                    yield unheard
                case name, language:
                    log.info("language_heard", language=name)
                    self._awaited.remove(name)
                    self.loaded.append(language)
                    yield Loaded(name, language, name in self._late)
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s > LATE_S:
            for name in self._awaited:
                if name not in self._late:
                    self._late.add(name)
                    yield Unheard(name, f"its model has not loaded within {LATE_S:.0f} s")

    def _load(self, wanted: Sequence[LanguageSettings]) -> None:
        for each in wanted:
            try:
                prove(each.model)
                language = Language(each.model, phrases_of(each), each.decoys)
            except (ModelUnusable, WordUnknown) as unusable:
                self._news.put(Unheard(each.name, str(unusable)))
            except Exception as error:
                log.exception("language_failed", language=each.name)
                self._news.put(Unheard(each.name, f"it failed to load ({type(error).__name__})"))
            else:
                self._news.put((each.name, language))
