"""What a signed result says in short. Whoever signed it may have written anything: its shape is checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.commission.seal import SealBroken

if TYPE_CHECKING:
    from agent.commission.seal import Opened


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class _Unit(_Part):
    id: str = Field(min_length=1)


class _Countersignature(_Part):
    operator_ref: str = Field(alias="operatorRef", min_length=1)


class Summary(_Part):
    """The members of `agent.commission.result` that a reader asks for first."""

    unit: _Unit
    passed: bool
    ended: str
    engineer: str | None = None
    countersigned: _Countersignature | None = None

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """What a result says.

        Raises:
            SealBroken: it is none, or is about another unit than the one that signed.
        """
        try:
            summary = cls.model_validate(opened.result)
        except ValidationError as error:
            where = ".".join(str(step) for step in error.errors()[0]["loc"])
            msg = f"it was signed, and is no commissioning result: {where} is missing or wrong"
            raise SealBroken(msg) from error
        if summary.unit.id != opened.signer:
            msg = f"it is about {summary.unit.id}, and {opened.signer} signed it"
            raise SealBroken(msg)
        return summary

    @property
    def is_whole(self) -> bool:
        """Whether the unit passed and the control room says so, too."""
        return self.passed and self.countersigned is not None
