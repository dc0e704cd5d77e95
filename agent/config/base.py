"""What all sections of the configuration share: their strictness, and the few types their keys are made of."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "folder"
"""Validation context: the folder from which relative paths are meant (that of the unit's file)."""
NONSENSE = "nonsense"
"""The type of the errors that come from `Settings.nonsense`."""


class Settings(BaseModel):
    """The base of all sections: strict, closed and frozen."""

    # Infinity passes every `gt=0`, and a wait that never ends is no setting.
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Yield (key, what is wrong) for keys that are each well formed but make no sense together."""
        yield from ()

    @model_validator(mode="after")
    def _refuse_nonsense(self) -> Self:
        found = [
            InitErrorDetails(
                type=PydanticCustomError(NONSENSE, "{message}", {"message": message}),
                loc=(key,),
                input=getattr(self, key),
            )
            for key, message in self.nonsense()
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self


def _anchored(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get(FOLDER, "")) / path


def composed(text: str) -> str:
    """The text with each accented letter as one character (Unicode NFC), as the word lists of voice models have it.

    Some editors write two, which look the same.
    """
    return normalize("NFC", text)


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        msg = "a zone makes no sense here: unit.timezone says it"
        raise ValueError(msg)
    return value


# `needs` is how `agent.config.explain` says in words what a pattern or a format asks for.

Gpio = Annotated[int, Field(ge=0, le=27)]
"""A BCM pin number of the 40-pin header (GPIO 0 to 27)."""
Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        json_schema_extra={"needs": "a name of lower-case letters, digits and hyphens (at most 63)"},
    ),
]
"""A name that is safe in topics, file names and certificates."""
_LETTER = r"[\p{Ll}\p{Lo}\p{Lm}\p{M}'\u2019]"
"""Of any script: lower-case where it has cases ("pomóż mi"), else any, with its marks; and both apostrophes."""
Words = Annotated[
    str,
    Field(
        pattern=rf"^{_LETTER}+(-{_LETTER}+)*( {_LETTER}+(-{_LETTER}+)*)*$",
        min_length=3,
        json_schema_extra={"needs": "words in lower-case letters with single spaces between them"},
    ),
    AfterValidator(composed),
]
"""A phrase as a voice model spells it."""
Seconds = Annotated[float, Field(gt=0)]
LocalTime = Annotated[
    time,
    AfterValidator(_without_zone),
    Field(json_schema_extra={"needs": "a local time of day such as 07:30"}),
]
"""A time of day in `unit.timezone`."""
LocalPath = Annotated[
    Path,
    AfterValidator(_anchored),
    Field(json_schema_extra={"needs": "the path of a file or folder"}),
]
"""A file or folder; a relative path is meant from the folder of the file it is written in."""
