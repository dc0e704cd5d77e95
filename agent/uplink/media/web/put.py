"""PUT: the whole in one, or in ranges to a server that says what it has (308 and Range, as Google's storage does)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.progress import ShortChunks, too_much

if TYPE_CHECKING:
    from agent.uplink.media.web.client import Reply
    from agent.uplink.media.web.transfer import Transfer

DONE: Final = frozenset({200, 201, 204})
INCOMPLETE: Final = 308
CHUNK_BYTES: Final = 4 * 1024 * 1024
"""For one range; a multiple of 256 kB, which Google's storage asks for."""
WANT_DIGEST: Final = {"Want-Repr-Digest": "sha-256=10"}
"""RFC 9530. The digest itself is not told beforehand: a server that says it must have read the file, not our words."""
_HELD: Final = re.compile(r"bytes=0-([0-9]{1,18})")


def send(transfer: Transfer) -> Reply:
    """The whole file in one request; what broke before is begun anew."""
    transfer.job.sent_bytes = 0
    reply = transfer.send_all("PUT", transfer.job.request.url, WANT_DIGEST, 0, transfer.size, good=DONE)
    transfer.job.sent_bytes = transfer.size
    transfer.moved()
    return reply


def send_ranges(transfer: Transfer) -> Reply:
    """Ask what is there, then send the rest range by range.

    Raises:
        NeverWorks: the server says that it has what was not sent; or it knows no ranges, and took a part for the whole.
        TryAgain, Stopped, Paused: see there.
    """
    job = transfer.job
    reply, _ = _put(transfer, f"bytes */{transfer.size}", 0, 0)
    gone, wanted, short = job.offered_bytes, transfer.size, None
    while reply.status == INCOMPLETE:
        start = _held(reply)
        if start > gone:
            raise NeverWorks(too_much(start, gone))
        if start == transfer.size:
            msg = "the server has every byte and does not say that it is done"
            raise TryAgain(msg)
        job.sent_bytes, job.knows_ranges = start, True
        transfer.moved()
        if short is None:
            short = ShortChunks()  # the first answer says what it had before
        else:
            short.note(wanted, start)
        size = min(CHUNK_BYTES, transfer.size - start)
        wanted = start + size
        reply, gone = _put(transfer, f"bytes {start}-{wanted - 1}/{transfer.size}", start, size)
    if transfer.size and not job.knows_ranges:
        msg = "the server took an empty file for the whole: it knows no ranges"
        raise NeverWorks(msg)
    if gone < transfer.size:
        msg = f"the server says it has the whole of {transfer.size} bytes, and was sent {gone}"
        raise NeverWorks(msg)
    job.sent_bytes = transfer.size
    transfer.moved()
    return reply


def _held(reply: Reply) -> int:
    """How many bytes from the first one on the server says it has."""
    said = reply.headers.get("range")
    if said is None:
        return 0
    held = _HELD.fullmatch(said)
    if held is None:
        msg = f"the server says it has {said[:40]!r}, which is no beginning of a file"
        raise NeverWorks(msg)
    return int(held[1]) + 1


def _put(transfer: Transfer, content_range: str, start: int, size: int) -> tuple[Reply, int]:
    url, headers = transfer.job.request.url, {"Content-Range": content_range}
    return transfer.send("PUT", url, headers, start, size, good=DONE | {INCOMPLETE})
