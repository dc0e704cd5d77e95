"""One attempt to get a file to its server, from wherever the last one broke."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.uplink.media.request import Confirmed, Way
from agent.uplink.media.web import parts, put, tus
from agent.uplink.media.web.errors import NeverWorks, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.uplink.media.web.client import Client
    from agent.uplink.media.web.flow import Flow
    from agent.uplink.media.web.job import Job
    from agent.uplink.media.web.source import Source


@dataclass(frozen=True)
class Transfer:
    """What an attempt works with."""

    job: Job
    source: Source
    client: Client
    flow: Flow
    keep: Callable[[], None]
    """Called whenever the job says something new: it is kept, and told."""

    @property
    def size(self) -> int:
        """Of the whole file."""
        return self.source.print.size_bytes


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
        transfer.keep()
    match job.way:
        case Way.TUS:
            last, sums = tus.send(transfer)
        case Way.RANGES:
            last, sums = put.send_ranges(transfer), False
        case Way.PARTS:
            last, sums = parts.send(transfer), False
        case _:
            last, sums = put.send(transfer), False
    said = _compare(last.headers, transfer)
    if said is Confirmed.DIGEST:
        return said
    if request.confirm_url is not None:
        reply = transfer.client.request("HEAD", request.confirm_url, good=frozenset({200}))
        size = reply.headers.get("content-length")
        if size is not None and size != str(transfer.size):
            job.begin_anew()
            msg = f"the server has {size} bytes of {transfer.size}"
            raise TryAgain(msg)
        said = _compare(reply.headers, transfer) or (Confirmed.SIZE if size is not None else None)
    if sums and said is not Confirmed.DIGEST:
        return Confirmed.CHUNKS
    return said or Confirmed.NOTHING


def _identify(transfer: Transfer) -> None:
    """See to it that what was sent before and what is sent now are one file."""
    job = transfer.job
    if job.print == transfer.source.print and job.sha256 is not None:
        return
    job.begin_anew()
    job.sha256, job.print = transfer.source.sha256(transfer.flow.check), transfer.source.print
    transfer.keep()


def _compare(headers: Mapping[str, str], transfer: Transfer) -> Confirmed | None:
    """Hold a digest that the server tells of the whole against ours; None: it tells none.

    Repr-Digest is RFC 9530; S3 tells its own, which of an object in parts is one of the parts' digests, with `-N`.

    Raises:
        NeverWorks: the server has something else.
    """
    expected = base64.b64encode(bytes.fromhex(transfer.job.sha256 or "")).decode()
    told = [headers.get("x-amz-checksum-sha256", "")]
    for entry in headers.get("repr-digest", "").split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "sha-256":
            told.append(value.strip(":"))
    whole = [digest for digest in told if digest and "-" not in digest]
    if not whole:
        return None
    if any(digest != expected for digest in whole):
        msg = "the server tells another SHA-256 than that of the file"
        raise NeverWorks(msg)
    return Confirmed.DIGEST
