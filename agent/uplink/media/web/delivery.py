"""One attempt to get a file to its server, from wherever the last one broke, and what the server confirmed of it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from agent.uplink.media.request import Confirmed, Way
from agent.uplink.media.web import parts, put, tus
from agent.uplink.media.web.errors import NeverWorks
from agent.uplink.media.web.page import refuse_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.uplink.media.web.transfer import Transfer

_REPR_DIGEST: Final = re.compile(r"(?<![\w*.-])sha-256=:([^:]+):", re.IGNORECASE)
_OF_PARTS: Final = re.compile(r".*-[0-9]+")
"""S3's checksum of an object in parts is one of the parts' checksums."""


def carry_out(transfer: Transfer) -> Confirmed:
    """Send what the server lacks; returns how it confirmed the whole.

    Raises:
        TryAgain: it broke; the job says where to go on.
        NeverWorks: it cannot be done as asked.
        Stopped, Paused: see there.
    """
    job, request = transfer.job, transfer.job.request
    _identify(transfer)
    if job.way is None:
        job.way = tus.way_of(transfer.client, request.url) if request.way is Way.AUTO else request.way
        transfer.moved()
    said, unjoined = None, None
    match job.way:
        case Way.TUS:
            last, said = tus.send(transfer)
        case Way.RANGES:
            last = put.send_ranges(transfer)
        case Way.PARTS:
            last, unjoined = parts.send(transfer)
        case _:
            last = put.send(transfer)
    if (digest := _compare(last.headers, transfer)) is not None:
        return digest
    if request.confirm_url is not None:
        said = _look(transfer, request.confirm_url, said)
    if said is None and unjoined is not None:
        raise unjoined
    if said is None:
        refuse_page(last, request.urls[0])
    return said or Confirmed.NOTHING


def _identify(transfer: Transfer) -> None:
    """See to it that what was sent before and what is sent now are one file."""
    job = transfer.job
    if job.print == transfer.source.print and job.sha256 is not None:
        return
    job.begin_anew()
    job.sha256, job.print = transfer.source.sha256(transfer.flow.check), transfer.source.print
    transfer.moved()


def _look(transfer: Transfer, url: str, said: Confirmed | None) -> Confirmed | None:
    """Ask what stands there; returns the best that is known then.

    Raises:
        TryAgain: it has another size, and is sent anew.
        NeverWorks: it has something else; or another size again and again.
    """
    reply = transfer.client.request("HEAD", url, put.WANT_DIGEST, good=frozenset({200}))
    size = reply.headers.get("content-length")
    if size is not None and size != str(transfer.size):
        transfer.job.begin_anew()
        msg = f"the server has {size} bytes of {transfer.size}"
        raise transfer.doubt(msg)
    return _compare(reply.headers, transfer) or said or (Confirmed.SIZE if size is not None else None)


def _compare(headers: Mapping[str, str], transfer: Transfer) -> Confirmed | None:
    """Hold a digest that the server tells of the whole against ours; None: it tells none that we know.

    Repr-Digest is RFC 9530; S3 tells its own, which of an object in parts is one of the parts' digests, with `-N`.

    Raises:
        NeverWorks: the server has something else.
    """
    expected = base64.b64encode(bytes.fromhex(transfer.job.sha256 or "")).decode()
    told = _REPR_DIGEST.findall(headers.get("repr-digest", ""))
    if (of_s3 := headers.get("x-amz-checksum-sha256")) and not _OF_PARTS.fullmatch(of_s3):
        told.append(of_s3)
    if not told:
        return None
    if any(digest != expected for digest in told):
        msg = "the server tells another SHA-256 than that of the file"
        raise NeverWorks(msg)
    return Confirmed.DIGEST
