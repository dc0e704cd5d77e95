"""S3 multipart with URLs that the control room signed: a PUT for each part, then one POST that joins them.

The unit holds no key of the storage, and a part that broke is all that is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from agent.uplink.media.web.client import Reply
from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.page import refuse_page
from agent.uplink.media.web.put import DONE

if TYPE_CHECKING:
    from agent.uplink.media.web.transfer import Transfer

_NOTHING: Final = Reply(200, {}, b"")


def send(transfer: Transfer) -> tuple[Reply, NeverWorks | None]:
    """Send the parts that the server lacks, and join them where a URL for that was named.

    Returns what the server told of the whole, and why they could not be joined, if so: with a lost answer they may be
    joined already, which only what stands there can tell.

    Raises:
        TryAgain, NeverWorks, Stopped, Paused: see there.
    """
    job, request = transfer.job, transfer.job.request
    needed = max(1, -(-transfer.size // request.part_bytes))
    if len(request.part_urls) < needed:
        msg = f"{transfer.size} bytes need {needed} parts of {request.part_bytes}; {len(request.part_urls)} were signed"
        raise NeverWorks(msg)
    for number in range(len(job.etags), needed):
        start = number * request.part_bytes
        end = min(transfer.size, start + request.part_bytes)
        part = transfer.send_all("PUT", request.part_urls[number], {}, start, end - start, good=DONE)
        refuse_page(part, request.part_urls[number])
        job.etags.append(_etag(transfer, part, number))
        job.sent_bytes = end
        transfer.moved()
    if request.complete_url is not None:
        try:
            return _join(transfer, request.complete_url), None
        except NeverWorks as error:
            return _NOTHING, error
    return _NOTHING, None  # what the server told of the last part is nothing about the whole


def _etag(transfer: Transfer, part: Reply, number: int) -> str:
    """By what the server knows a part: S3's differ wherever the parts do.

    Raises:
        NeverWorks: it has none, or that of another part.
    """
    etag = part.headers.get("etag", "").strip()
    if not etag.strip('"'):
        msg = "the server took a part and gave it no ETag: the parts could not be joined"
        raise NeverWorks(msg)
    size = transfer.job.request.part_bytes
    mine = transfer.source.digest(number * size, size)
    for other, known in enumerate(transfer.job.etags):
        if known == etag and transfer.source.digest(other * size, size) != mine:
            msg = f"the server gave part {number + 1} the ETag of part {other + 1}, which is another one"
            raise NeverWorks(msg)
    return etag


def _join(transfer: Transfer, url: str) -> Reply:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
        for number, etag in enumerate(transfer.job.etags, 1)
    )
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    headers = {"Content-Length": str(len(body)), "Content-Type": "application/xml"}
    reply = transfer.client.request("POST", url, headers, lambda: [body], good=frozenset({200}))
    if b"<Error>" in reply.body:  # S3 answers 200 before it joins, and tells a failure in the body
        msg = "the storage could not join the parts now"
        raise TryAgain(msg)
    if b"CompleteMultipartUploadResult" not in reply.body:
        msg = "the storage did not say that it joined the parts"
        raise NeverWorks(msg)
    return reply
