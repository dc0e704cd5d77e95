"""tus 1.0 (tus.io): creation, HEAD for what is there, PATCH for what is missing; checksum where the server has it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from agent.uplink.media.request import Confirmed, PieceOf, Way
from agent.uplink.media.web.client import Reply, same_place
from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.progress import ShortChunks, too_much

if TYPE_CHECKING:
    from agent.uplink.media.web.client import Client
    from agent.uplink.media.web.transfer import Transfer

VERSION: Final = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES: Final = 4 * 1024 * 1024
"""For one PATCH: what a server without the checksum extension could keep damaged, and 17 s at 2 Mbit/s."""
FORGOTTEN: Final = frozenset({403, 404, 410})
"""What a server answers about an upload that it does not have any more."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


def way_of(client: Client, url: str) -> Way:
    """tus, if the server says so; else a plain PUT.

    Raises:
        TryAgain: it does not answer now.
    """
    try:
        reply = client.request("OPTIONS", url, VERSION, good=frozenset({200, 204}))
    except NeverWorks:  # many servers know no OPTIONS, and signed URLs are for one method
        return Way.PUT
    return Way.TUS if "tus-resumable" in reply.headers else Way.PUT


def send(transfer: Transfer) -> tuple[Reply, Confirmed]:
    """Send what is missing; returns the last answer, and what the server confirmed on the way.

    Raises:
        NeverWorks: it says that it has what was not sent, or gets nowhere.
        TryAgain, Stopped, Paused: see there.
    """
    job, client = transfer.job, transfer.client
    is_new = job.place is None
    if is_new:
        _create(transfer)
    place = job.place or ""
    found = client.request("HEAD", place, VERSION, good=FORGOTTEN | {200, 204})
    if found.status in FORGOTTEN:
        job.begin_anew()
        transfer.moved()
        msg = "the server forgot the upload, which begins anew"
        raise TryAgain(msg)
    if (wrong := _not_ours(transfer, found)) is not None:
        if is_new:
            raise NeverWorks(wrong)
        job.begin_anew()  # a new one shows whether the server always says so
        raise transfer.doubt(wrong)
    _stand(transfer, _offset(found))
    last, short = found, ShortChunks()
    while (start := job.sent_bytes) < transfer.size:
        wanted = min(transfer.size, start + CHUNK_BYTES)
        last, gone = _patch(transfer, place, start, wanted - start)
        reached = _offset(last)
        if reached > gone:
            raise NeverWorks(too_much(reached, gone))
        if job.place_sums and reached == wanted and start <= job.compared_bytes:
            job.compared_bytes = wanted
        _stand(transfer, reached)
        short.note(wanted, reached)
    return last, Confirmed.CHUNKS if 0 < transfer.size == job.compared_bytes else Confirmed.SIZE


def _create(transfer: Transfer) -> None:
    job, client, url = transfer.job, transfer.client, transfer.job.request.url
    offered = client.request("OPTIONS", url, VERSION, good=frozenset({200, 204}))
    sums = {each.strip() for each in offered.headers.get("tus-checksum-algorithm", "").split(",")}
    what = job.request.what
    name = f"{what.alert_id}-{what.media}" if isinstance(what, PieceOf) else what.path.name
    metadata = {"filename": name, "sha256": job.sha256 or ""}
    pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
    headers = {**VERSION, "Upload-Length": str(transfer.size), "Upload-Metadata": pairs, "Content-Length": "0"}
    created = client.request("POST", url, headers, good=frozenset({201}))
    if "location" not in created.headers:
        msg = "the tus server made an upload and does not say where"
        raise NeverWorks(msg)
    job.place, job.place_sums = same_place(url, created.headers["location"]), "sha256" in sums
    transfer.moved()


def _patch(transfer: Transfer, place: str, start: int, size: int) -> tuple[Reply, int]:
    headers = {**VERSION, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(start)}
    if transfer.job.place_sums:
        digest = transfer.source.digest(start, size)
        headers["Upload-Checksum"] = f"sha256 {base64.b64encode(digest).decode()}"
    return transfer.send("PATCH", place, headers, start, size, good=frozenset({200, 204}))


def _not_ours(transfer: Transfer, found: Reply) -> str | None:
    """Why what the server has cannot be what this upload sent; None: it can."""
    length, offset = found.headers.get("upload-length"), _offset(found)
    if length is not None and length != str(transfer.size):
        return f"the server waits for {length[:20]!r} bytes, of a file of {transfer.size}"
    if offset > transfer.job.offered_bytes:
        return too_much(offset, transfer.job.offered_bytes)
    return None


def _offset(reply: Reply) -> int:
    said = reply.headers.get("upload-offset", "")
    if _NUMBER.fullmatch(said) is None:
        msg = f"the tus server is at {said[:40] or 'no offset'}"
        raise NeverWorks(msg)
    return int(said)


def _stand(transfer: Transfer, reached: int) -> None:
    """The server has so much, which may be less than before."""
    job = transfer.job
    job.sent_bytes, job.compared_bytes = reached, min(job.compared_bytes, reached)
    transfer.moved()
