"""The command that has a file of the unit sent somewhere. Who sends it is somebody else (`Uploads`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.commands.carrying import NotTaken
from agent.signals import CommandName, Why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agent.commands.carrying import Answering, Handlers
    from agent.signals import Command


@dataclass(frozen=True)
class UploadRequest:
    """Send this file there."""

    command: str
    """`Command.ref`: the same one again is the same upload."""
    file: Path
    """Where it lies; it was there when the command came."""
    reference: str
    """What the control room calls it: its path below the footage folder."""
    url: str
    """HTTPS."""
    headers: Mapping[str, str]
    """To be sent with it. They may be secrets: never log or audit them, nor the query of the URL."""
    by: str


class Uploads(Protocol):
    """Who sends files."""

    def take(self, request: UploadRequest, answer: Answering) -> None:
        """Begin to send a file, or queue it; return at once.

        Args:
            request: What and where to.
            answer: Called on the event loop with `AnswerCommand`s: `RUNNING` as often as there is progress to tell
                (with `sentBytes`, `sizeBytes` in its result; each is written down, so not more often than each ten
                seconds), then once `DONE` (with `sha256`) or `FAILED`. What was `RUNNING` when the unit was restarted
                goes on without being taken again, so an upload has to be remembered.

        Raises:
            NotTaken: it is not sent, with the reason.
        """
        ...


def handlers(footage: Path, uploads: Uploads | None, answer: Answering) -> Handlers:
    """The one command of this family.

    Args:
        footage: The footage folder, below which everything lies that may leave the unit.
        uploads: Who sends; None where nobody does.
        answer: Takes what comes of it.
    """

    def upload(command: Command) -> None:
        if uploads is None:
            raise NotTaken(Why.UNAVAILABLE, "this unit sends no files")
        reference = command.args["file"]  # by its schema two plain names below incidents/
        file = footage / reference
        if file.is_symlink() or not file.is_file():
            raise NotTaken(Why.NOT_FOUND, f"there is no file {reference} on this unit")
        request = UploadRequest(
            command.ref, file, reference, command.args["url"], command.args.get("headers", {}), command.by
        )
        uploads.take(request, answer)

    return {CommandName.UPLOAD: upload}
