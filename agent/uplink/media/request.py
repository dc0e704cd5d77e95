"""What is asked of an upload, and how it goes on: the values between commands and the media room."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - pydantic reads the types of remembered uploads
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agent.signals import Category, Media  # noqa: TC001 - pydantic reads the types of remembered uploads

if TYPE_CHECKING:
    from agent.config.sending import UploadSettings

MOST_PARTS: Final = 1_000
LONGEST: Final = 4_096
"""Characters of a URL or of a header's value: a signed URL has about 500."""
MOST_HEADERS: Final = 32
FILES: Final = {"still": "still.jpg", "strip": "strip.jpg", "clip": "clip.mp4"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_URL = re.compile(r"[\x21-\x7e]+")
_PORTS: Final = {"https": 443, "http": 80}
OURS: Final = frozenset(
    {
        *("connection", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"),
        *("content-length", "content-range"),
        *("tus-resumable", "upload-checksum", "upload-length", "upload-metadata", "upload-offset"),
    }
)
"""Headers that say how the transfer itself goes: a command that names one could make two requests of one."""


class Refusal(StrEnum):
    """Why an upload is not begun."""

    INVALID = "invalid"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "not-found"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    DATA_PLAN = "data-plan"


class UploadRefused(ValueError):
    """The upload is not begun; the text says why in one sentence, without what is secret in a URL."""

    def __init__(self, code: Refusal, text: str) -> None:
        super().__init__(text)
        self.code = code


class Way(StrEnum):
    """How the bytes go."""

    AUTO = "auto"
    """tus where the server offers it, else one PUT."""
    TUS = "tus"
    PUT = "put"
    """One PUT; one that breaks begins again from the first byte."""
    RANGES = "ranges"
    """PUT with Content-Range, and 308 with Range for what is there: it goes on where it broke."""
    PARTS = "parts"
    """A presigned PUT for each part (S3 multipart): it goes on with the part that broke."""


@dataclass(frozen=True)
class PieceOf:
    """A still, strip or clip of an alert."""

    alert_id: str
    media: Media


@dataclass(frozen=True)
class File:
    """A file below the footage folder, such as an export."""

    path: Path


def path_of(what: PieceOf | File, footage: Path) -> Path:
    """Where it lies."""
    if isinstance(what, PieceOf):
        return footage / "incidents" / what.alert_id / FILES[what.media]
    return footage / what.path


@dataclass(frozen=True)
class UploadRequest:
    """One upload, as a command asks for it. What is secret in it is never shown."""

    upload_id: str
    """Whoever asks again with the same id asks for the same upload."""
    what: PieceOf | File
    url: str = field(default="", repr=False)
    """Where it goes; with parts there is none."""
    way: Way = Way.AUTO
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request."""
    part_urls: tuple[str, ...] = field(default=(), repr=False)
    part_bytes: int = 0
    """The size of each part but the last."""
    complete_url: str | None = field(default=None, repr=False)
    """Presigned CompleteMultipartUpload; without it whoever asked joins the parts, with the ETags that it is told."""
    confirm_url: str | None = field(default=None, repr=False)
    """Asked with HEAD at the end: its size and its digest, where it tells one, must be right."""
    category: Category | None = None
    """Of the alert that it belongs to: a help call's media are free. Filled in for a `PieceOf`."""
    context: dict[str, str] = field(default_factory=dict, repr=False)
    """Given back with all progress, after a restart too: where answers go, say."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL in it."""
        named = (self.url, *self.part_urls, self.complete_url, self.confirm_url)
        return tuple(url for url in named if url)


class UploadState(StrEnum):
    """How an upload stands."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    WAITING = "waiting"
    """It broke, and is tried again."""
    DONE = "done"
    FAILED = "failed"


class Confirmed(StrEnum):
    """What the server said of what it has, once every byte had gone out to it."""

    DIGEST = "digest"
    """It told a SHA-256 of the whole, and that is right."""
    CHUNKS = "chunks"
    """It offers to compare a SHA-256 of every chunk (tus checksum), and answered for each of them in full."""
    SIZE = "size"
    """It told the right size, and no more."""
    NOTHING = "nothing"
    """It said that it took it; whoever asked compares the SHA-256 that it is told."""


@dataclass(frozen=True)
class UploadProgress:
    """How an upload stands now."""

    upload_id: str
    state: UploadState
    what: PieceOf | File
    host: str
    """Where it goes, without what is secret in the URL."""
    sent_bytes: int = 0
    """What the server has, as far as it says and as far as so much went out."""
    size_bytes: int | None = None
    sha256: str | None = None
    """Of the whole file; once it was read."""
    confirmed: Confirmed | None = None
    """Once it is done."""
    etags: tuple[str, ...] = ()
    """Of the parts, in their order."""
    reason: str | None = None
    """Why it failed, or waits."""
    context: dict[str, str] = field(default_factory=dict, repr=False)


def check_request(request: UploadRequest, settings: UploadSettings, *, insecure_lab: bool) -> None:
    """Hold a request against what an upload may be, before anything is done.

    Raises:
        UploadRefused: it may not.
    """
    if _ID.fullmatch(request.upload_id) is None:
        msg = "the upload's id is not 1 to 64 letters, digits, - and _"
        raise UploadRefused(Refusal.INVALID, msg)
    parts = request.way is Way.PARTS
    if parts != bool(request.part_urls) or parts == bool(request.url):
        msg = "an upload names either one url, or part_urls with way parts"
        raise UploadRefused(Refusal.INVALID, msg)
    if parts and not (len(request.part_urls) <= MOST_PARTS and request.part_bytes > 0):
        msg = f"an upload in parts needs part_bytes, and has at most {MOST_PARTS} of them"
        raise UploadRefused(Refusal.INVALID, msg)
    for url in request.urls:
        _check_url(url, settings, insecure_lab=insecure_lab)
    _check_headers(request.headers)


def host_of(request: UploadRequest) -> str:
    """Where it goes, for people and journals."""
    return urlsplit(request.urls[0]).hostname or "?"


def _check_url(url: str, settings: UploadSettings, *, insecure_lab: bool) -> None:
    wrong = f"a url is not 1 to {LONGEST} visible ASCII characters with a host and no fragment"
    if len(url) > LONGEST or _URL.fullmatch(url) is None:
        raise UploadRefused(Refusal.INVALID, wrong)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError:  # which quotes the url, and that may be a key
        raise UploadRefused(Refusal.INVALID, wrong) from None
    if not host or parts.fragment:
        raise UploadRefused(Refusal.INVALID, wrong)
    if parts.scheme != "https" and not (insecure_lab and parts.scheme == "http"):
        msg = f"the url to {host} is not https"
        raise UploadRefused(Refusal.NOT_ALLOWED, msg)
    if "@" in parts.netloc:
        msg = f"the url to {host} holds a user name: use an Authorization header"
        raise UploadRefused(Refusal.NOT_ALLOWED, msg)
    if not settings.hosts:
        msg = "uplink.uploads.hosts names no host: name the hosts that files of this unit may go to"
        raise UploadRefused(Refusal.NOT_ALLOWED, msg)
    if not settings.may_go_to(host, port):
        msg = f"{host}:{port} is none of the hosts that uplink.uploads.hosts names (host is host:443)"
        raise UploadRefused(Refusal.NOT_ALLOWED, msg)


def _check_headers(headers: dict[str, str]) -> None:
    if len(headers) > MOST_HEADERS:
        msg = f"an upload has at most {MOST_HEADERS} headers"
        raise UploadRefused(Refusal.INVALID, msg)
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None or _VISIBLE.fullmatch(value) is None or len(value) > LONGEST:
            msg = "a header's name or value has characters that it must not have, or too many"
            raise UploadRefused(Refusal.INVALID, msg)
        if name.lower() in OURS:
            msg = f"the header {name} is the unit's own"
            raise UploadRefused(Refusal.NOT_ALLOWED, msg)
