"""What a unit's sign says beside what the rest of its configuration says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.config.base import Settings

Line = Annotated[
    str,
    Field(
        min_length=2,
        max_length=100,
        pattern=r"^[^\p{Cc}]+$",
        json_schema_extra={"needs": "one line of 2 to 100 characters"},
    ),
]


class SignageSettings(Settings):
    """Who is responsible for the unit, and where people can ask: what the law wants on the sign."""

    operator: Line | None = None
    """The data controller, as the public knows it: "Ashfield District Council". `safepoint sign` needs it."""
    contact: Line | None = None
    """Where questions go and are answered: "01623 450000". `safepoint sign` needs it."""
    purpose: Line = "for public safety and to prevent crime"
    """Why there is a camera, as the end of a sentence that begins with "CCTV is in use"."""
    notice: Line | None = None
    """Where the whole privacy notice can be read: "ashfield.gov.uk/cctv"."""
