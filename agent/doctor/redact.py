"""Takes out of a text what must not leave the unit: keys, tokens, passwords, and words that people say to it.

What is in doubt goes. A diagnosis bundle is read by strangers, and nothing in it is worth a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from agent.config.explain import SHOWN_CHARACTERS
from agent.config.load import Loaded
from agent.config.show import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.config.settings import Config

REMOVED: Final = "[removed]"

_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
"""To its end, over lines and over what a log puts before each; without one, to the end of the text."""
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s\"'<>]+)")
_WEB: Final = ("http", "https", "ws", "wss", "rtsp", "rtsps")
"""Whose paths may be a capability: a signed upload URL lets anybody in who has it."""
_NAMED: Final = re.compile(
    r"(?P<name>(?<![\w.-])[\w.-]*(?:token|secret|passw(?:or)?d|passphrase|pwd|credential|authorization|cookie|signature|api[_-]?key"
    r"|private[_-]?key|transcript|spoken|words|heard|said)[\w.-]*\\*[\"']?\s*[=:]\s*)"
    r"(?P<value>\\+\".*?\\\"|\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:(?:bearer|basic|digest)\s+)?[^\s,;}\]]+)",
    re.IGNORECASE,
)
"""What says itself that it is a secret, or what somebody said."""
_FILE: Final = re.compile(r"_(file|folder|path)\b", re.IGNORECASE)
"""Where a secret lies may be told."""
_BEARER: Final = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=_.~-]{8,}", re.IGNORECASE)
_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_PLAIN_RUN: Final = re.compile(r"[a-z/_-]+|[A-Z_]+|=+|-+|_+")
"""A path, a name in words, a line drawn with characters."""
_NAME: Final = re.compile(r"[a-z_-]*[0-9]{0,4}[a-z_-]*|[A-Z][a-z]+|[A-Z_]+")
LONGEST_NAME: Final = 40
_SAY: Final = re.compile(r"""\bsay["']?\s*:\s*["']?([^"'\n,}#]+)""")
_QUOTED_WORD: Final = re.compile(r'cannot hear "[^"]*"')
"""`safepoint check` quotes a word of a phrase, which may be a silent one."""


def private_words(config: Config) -> tuple[str, ...]:
    """What is said to the unit, as far as it knows: all phrases and decoys of all languages."""
    voice = config.voice
    decoys = {*voice.decoys, *(decoy for language in voice.languages for decoy in language.decoys)}
    return tuple(sorted({phrase.say for phrase in voice.all_phrases} | decoys, key=len, reverse=True))


def words_written(text: str) -> tuple[str, ...]:
    """The phrases in the text of a unit's file that cannot be read as one, in whatever way they are written there."""
    whole = {found.strip() for found in _SAY.findall(text)}
    # A mistake is told with the beginning of what was written.
    told = whole | {words[:SHOWN_CHARACTERS].rstrip() for words in whole}
    return tuple(sorted(told - {""}, key=len, reverse=True))


def shown_outside(loaded: Loaded) -> str:
    """The effective configuration without its silent phrases, which nobody may know, and without a kit's own options.

    The phrases that are not silent stand on the sign.
    """
    config = loaded.config
    voice, hardware = config.voice, config.hardware
    hidden = [phrase.model_copy(update={"say": REMOVED}) if phrase.silent else phrase for phrase in voice.phrases]
    languages = [
        language.model_copy(
            update={
                "phrases": tuple(
                    phrase.model_copy(update={"say": REMOVED}) if phrase.silent else phrase
                    for phrase in language.phrases
                )
            }
        )
        for language in voice.languages
    ]
    outside = config.model_copy(
        update={
            "voice": voice.model_copy(update={"phrases": tuple(hidden), "languages": tuple(languages)}),
            "hardware": hardware.model_copy(update={"options": dict.fromkeys(hardware.options, REMOVED)}),
        }
    )
    return shown(Loaded(outside, loaded.origins))


def redacted(text: str, private: Sequence[str] = ()) -> str:
    """The text without what must not leave the unit.

    Args:
        text: Of whatever kind.
        private: Words that are to go wherever they stand.
    """
    for pattern, put in _STEPS:
        text = pattern.sub(put, text)
    for words in private:
        text = re.sub(r"\s+".join(map(re.escape, words.split())), REMOVED, text, flags=re.IGNORECASE)
    return text


def redacted_deep(value: Any, private: Sequence[str] = ()) -> Any:  # noqa: ANN401 - as JSON has it
    """The same for every text in a value made of dictionaries, lists and plain values.

    Before it becomes JSON, whose quotes and backslashes would hide one thing or the other.
    """
    if isinstance(value, str):
        return redacted(value, private)
    if isinstance(value, dict):
        return {
            redacted(key, private): REMOVED
            if isinstance(inner, str) and _is_secret(key)
            else redacted_deep(inner, private)
            for key, inner in value.items()
        }
    return [redacted_deep(inner, private) for inner in value] if isinstance(value, list) else value


def _is_secret(key: str) -> bool:
    return redacted(f"{key}=x") != f"{key}=x"


def _bare_url(found: re.Match[str]) -> str:
    scheme, rest = found["scheme"], found["rest"]
    rest = re.sub(r"^[^/]*@", "", rest)
    rest = re.sub(r"[?#].*$", f"?{REMOVED}", rest)
    if scheme.lower() in _WEB:
        host, slash, path = rest.partition("/")
        rest = f"{host}/{REMOVED}" if slash and path else host + slash
    return f"{scheme}://{rest}"


def _bare_value(found: re.Match[str]) -> str:
    return found[0] if _FILE.search(found["name"]) else f"{found['name']}{REMOVED}"


def _bare_run(found: re.Match[str]) -> str:
    """Long runs of letters and digits are keys, hashes of keys, or tokens; a path in lower case is none."""
    run = found[0]
    if _PLAIN_RUN.fullmatch(run) or all(map(_looks_named, run.split("/"))):
        return run
    return REMOVED


def _looks_named(piece: str) -> bool:
    """Whether somebody named this ("site-packages", "outbox", "python3"), rather than a machine drew it."""
    return len(piece) <= LONGEST_NAME and _NAME.fullmatch(piece) is not None


_STEPS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (_PEM, REMOVED),
    (_URL, _bare_url),
    (_NAMED, _bare_value),
    (_BEARER, REMOVED),
    (_QUOTED_WORD, f'cannot hear "{REMOVED}"'),
    (_RUN, _bare_run),
)
