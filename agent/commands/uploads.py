"""The command that has a file of the unit sent somewhere. Who sends it is somebody else (`Uploads`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.signals import CommandName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.commands.carrying import Handlers
    from agent.signals import Command


@dataclass(frozen=True)
class UploadRequest:
    """Send this file there."""

    command: str
    """`Command.ref`: the same one again is the same upload."""
    reference: str
    """What the control room calls it: its path below the footage folder."""
    url: str
    """HTTPS."""
    headers: Mapping[str, str]
    """To be sent with it. They may be secrets: never log or audit them, nor the query of the URL."""


class Uploads(Protocol):
    """Who sends files."""

    def take(self, request: UploadRequest) -> None:
        """Begin to send a file, or queue it; return at once. It is answered for until it is over.

        Raises:
            NotTaken: it is not sent, with the reason.
        """
        ...


def handlers(uploads: Uploads) -> Handlers:
    """The one command of this family.

    Args:
        uploads: Who sends, and answers. Whether the file is there is for them to find out, in a thread: this is called
            on the event loop, and a disk that hangs must hold up no help call.
    """

    def upload(command: Command) -> None:
        reference = command.args["file"]  # by its schema two plain names below incidents/
        request = UploadRequest(command.ref, reference, command.args["url"], command.args.get("headers", {}))
        uploads.take(request)

    return {CommandName.UPLOAD: upload}
