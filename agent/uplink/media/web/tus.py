"""tus 1.0 (tus.io): creation, HEAD for what is there, PATCH for what is missing; checksum where the server has it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from agent.uplink.media.request import PieceOf, Way
from agent.uplink.media.web.client import Reply, same_place
from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.progress import ShortChunks

if TYPE_CHECKING:
    from agent.uplink.media.web.client import Client
    from agent.uplink.media.web.transfer import Transfer

VERSION: Final = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES: Final = 4 * 1024 * 1024
"""For one PATCH: what a server without the checksum extension could keep damaged, and 17 s at 2 Mbit/s."""
FORGOTTEN: Final = frozenset({403, 404, 410})
"""What a server answers about an upload that it does not have any more."""


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


def send(transfer: Transfer) -> tuple[Reply, bool]:
    """Send what is missing; returns the last answer, and whether the server compared a checksum of each chunk."""
    job, client = transfer.job, transfer.client
    if job.place is None:
        _create(transfer)
    place = job.place or ""
    found = client.request("HEAD", place, VERSION, good=FORGOTTEN | {200, 204})
    if found.status in FORGOTTEN:
        job.begin_anew()
        transfer.keep()
        msg = "the server forgot the upload, which begins anew"
        raise TryAgain(msg)
    _reached(transfer, found)
    last, short = found, ShortChunks()
    while job.sent_bytes < transfer.size:
        wanted = min(transfer.size, job.sent_bytes + CHUNK_BYTES)
        last = _patch(transfer, place, wanted - job.sent_bytes)
        _reached(transfer, last)
        short.note(wanted, job.sent_bytes)
    return last, job.place_sums


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
    transfer.keep()


def _patch(transfer: Transfer, place: str, size: int) -> Reply:
    start = transfer.job.sent_bytes
    headers = {
        **VERSION,
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(size),
        "Upload-Offset": str(start),
    }
    if transfer.job.place_sums:
        digest = transfer.source.digest(start, size)
        headers["Upload-Checksum"] = f"sha256 {base64.b64encode(digest).decode()}"
    return transfer.client.request(
        "PATCH",
        place,
        headers,
        lambda: transfer.flow.blocks(transfer.source.file, start, size),
        good=frozenset({200, 204}),
    )


def _reached(transfer: Transfer, reply: Reply) -> None:
    offset = reply.headers.get("upload-offset", "")
    if not offset.isdecimal() or int(offset) > transfer.size:
        msg = f"the tus server is at {offset or 'no offset'}, of {transfer.size} bytes"
        raise NeverWorks(msg)
    transfer.job.sent_bytes = int(offset)
    transfer.keep()
