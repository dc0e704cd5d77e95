"""What a bundle says of itself, under its signature."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping  # noqa: TC003 - pydantic reads it
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_FILES = 200

Version = Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]
WheelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}\.whl$")]
"""Nothing that could lead out of a folder."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class WheelFile(BaseModel):
    """One wheel of a bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: WheelName
    bytes: Annotated[int, Field(gt=0, le=MAX_FILE_BYTES)]
    sha256: Sha256


class Manifest(BaseModel):
    """What is in a bundle, and for whom. A key that this version does not know is no reason to refuse it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version: Version
    minimum: Version
    """The oldest version that may be replaced by this one."""
    machine: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    """As `uname -m` says."""
    python: Annotated[str, Field(pattern=r"^3\.\d{1,3}$")]
    files: Annotated[tuple[WheelFile, ...], Field(min_length=1, max_length=MAX_FILES)]
    """The agent's own wheel and those of all that it needs from outside the system's packages."""
    records: Mapping[WheelName, Sha256] = Field(default_factory=dict, max_length=MAX_FILES)
    """The SHA-256 of what each wheel says of its files: so the signature reaches each file that is installed."""

    @property
    def identity(self) -> str:
        """What tells this bundle from any other, also of the same version."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)
