"""S3 multipart with URLs that the control room signed: a PUT for each part, then one POST that joins them.

The unit holds no key of the storage, and a part that broke is all that is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from agent.uplink.media.web.client import Reply
from agent.uplink.media.web.errors import NeverWorks, TryAgain
from agent.uplink.media.web.put import DONE

if TYPE_CHECKING:
    from agent.uplink.media.web.transfer import Transfer


def send(transfer: Transfer) -> Reply:
    """Send the parts that the server lacks, and join them where a URL for that was named."""
    job, request = transfer.job, transfer.job.request
    needed = max(1, -(-transfer.size // request.part_bytes))
    if len(request.part_urls) < needed:
        msg = f"{transfer.size} bytes need {needed} parts of {request.part_bytes}; {len(request.part_urls)} were signed"
        raise NeverWorks(msg)
    for number in range(len(job.etags), needed):
        start = number * request.part_bytes
        part = _put(transfer, request.part_urls[number], start, min(request.part_bytes, transfer.size - start))
        if "etag" not in part.headers:
            msg = "the server took a part and gave it no ETag: the parts could not be joined"
            raise NeverWorks(msg)
        job.etags.append(part.headers["etag"])
        job.sent_bytes = min(transfer.size, start + request.part_bytes)
        transfer.keep()
    if request.complete_url is not None:
        try:
            return _join(transfer, request.complete_url)
        except NeverWorks:
            if request.confirm_url is None:
                raise
            # It may be joined already, and the answer was lost: what stands there decides.
    return Reply(200, {}, b"")  # what the server told of the last part is nothing about the whole


def _put(transfer: Transfer, url: str, start: int, size: int) -> Reply:
    return transfer.client.request(
        "PUT",
        url,
        {"Content-Length": str(size)},
        lambda: transfer.flow.blocks(transfer.source.file, start, size),
        good=DONE,
    )


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
    return reply
