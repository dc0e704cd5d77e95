"""The command that has a file of the unit sent somewhere. Who sends it is somebody else (`Uploads`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from agent.signals import CommandName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.commands.carrying import Handlers
    from agent.signals import Command


@dataclass(frozen=True)
class UploadRequest:
    """Send this file there."""

    command: str
    """`Command.ref`: the same one again is the same upload."""
    reference: str
    """What the control room calls it: its path below the footage folder."""
    url: str = field(default="", repr=False)
    """HTTPS; with parts there is none."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """To be sent with it. They may be secrets: never log or audit them, nor the query of a URL."""
    part_urls: Sequence[str] = field(default=(), repr=False)
    """One signed address for each part (S3 multipart)."""
    part_bytes: int = 0
    """The size of each part but the last."""
    complete_url: str | None = field(default=None, repr=False)
    """Joins the parts; without it whoever asked does, with the ETags of the last answer."""
    confirm_url: str | None = field(default=None, repr=False)
    """Asked at the end for the size and digest of what is there."""
    way: str = "auto"
    """How it goes to `url`: `put`, `ranges` or `tus`; `auto` finds out whether tus is spoken."""


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
        reference = command.args["file"]  # by its schema plain names below incidents/ or exports/
        args = command.args
        uploads.take(
            UploadRequest(
                command.ref,
                reference,
                args.get("url", ""),
                args.get("headers", {}),
                part_urls=args.get("partUrls", ()),
                part_bytes=args.get("partBytes", 0),
                complete_url=args.get("completeUrl"),
                confirm_url=args.get("confirmUrl"),
                way=args.get("way", "auto"),
            )
        )

    return {CommandName.UPLOAD: upload}
