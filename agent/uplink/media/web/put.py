"""PUT: the whole in one, or in ranges to a server that says what it has (308 and Range, as Google's storage does)."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.progress import ShortChunks

if TYPE_CHECKING:
    from agent.uplink.media.web.client import Reply
    from agent.uplink.media.web.transfer import Transfer

DONE: Final = frozenset({200, 201, 204})
INCOMPLETE: Final = 308
CHUNK_BYTES: Final = 4 * 1024 * 1024
"""For one range; a multiple of 256 kB, which Google's storage asks for."""
_HELD = re.compile(r"bytes=0-([0-9]{1,18})")


def send(transfer: Transfer) -> Reply:
    """The whole file in one request; what broke before is begun anew."""
    transfer.job.sent_bytes = 0
    digest = base64.b64encode(bytes.fromhex(transfer.job.sha256 or "")).decode()
    headers = {"Content-Length": str(transfer.size), "Repr-Digest": f"sha-256=:{digest}:"}
    reply = transfer.client.request(
        "PUT",
        transfer.job.request.url,
        headers,
        lambda: transfer.flow.blocks(transfer.source.file, 0, transfer.size),
        good=DONE,
    )
    transfer.job.sent_bytes = transfer.size
    transfer.keep()
    return reply


def send_ranges(transfer: Transfer) -> Reply:
    """Ask what is there, then send the rest range by range."""
    reply, wanted, short = _put(transfer, f"bytes */{transfer.size}", 0, 0), transfer.size, None
    while reply.status == INCOMPLETE:
        held = _HELD.fullmatch(reply.headers.get("range", ""))
        start = 0 if held is None else int(held[1]) + 1
        if start > transfer.size:
            msg = f"the server says it has {start} bytes of {transfer.size}"
            raise NeverWorks(msg)
        if start == transfer.size:
            msg = "the server has every byte and does not say that it is done"
            raise TryAgain(msg)
        transfer.job.sent_bytes = start
        transfer.keep()
        if short is None:
            short = ShortChunks()  # the first answer says what it had before
        else:
            short.note(wanted, start)
        size = min(CHUNK_BYTES, transfer.size - start)
        wanted = start + size
        reply = _put(transfer, f"bytes {start}-{start + size - 1}/{transfer.size}", start, size)
    transfer.job.sent_bytes = transfer.size
    transfer.keep()
    return reply


def _put(transfer: Transfer, content_range: str, start: int, size: int) -> Reply:
    return transfer.client.request(
        "PUT",
        transfer.job.request.url,
        {"Content-Range": content_range, "Content-Length": str(size)},
        lambda: transfer.flow.blocks(transfer.source.file, start, size),
        good=DONE | {INCOMPLETE},
    )
