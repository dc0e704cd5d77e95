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


@dataclass(frozen=True)
class Unheard:
    """A language that this process does not hear."""

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
        if wanted:
            # A daemon: a model that never loads must not keep the process from ending.
            threading.Thread(target=self._load, args=(wanted,), name="languages", daemon=True).start()

    def news(self) -> Iterator[Language | Unheard]:
        """Yield what was loaded, or could not be, since the last call."""
        while not self._news.empty():  # nobody else takes from it
            match self._news.get():
                case Unheard() as unheard:
                    yield unheard
                case name, language:
                    log.info("language_heard", language=name)
                    self.loaded.append(language)
                    yield language

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
