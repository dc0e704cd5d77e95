"""A web page in the place of an answer: somebody in between said that all is well, not the server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.uplink.media.web.errors import NeverWorks

if TYPE_CHECKING:
    from agent.uplink.media.web.client import Reply


def refuse_page(reply: Reply, url: str) -> None:
    """Let no page for people count as a server's word: logins and filters answer so to whatever they are sent.

    With 201, servers do describe in HTML what they made.

    Raises:
        NeverWorks: it is one.
    """
    if reply.status == 200 and reply.headers.get("content-type", "").lower().startswith("text/html"):  # noqa: PLR2004
        msg = f"{urlsplit(url).hostname} answered with a web page, as a login does: nothing says that it took the file"
        raise NeverWorks(msg)
