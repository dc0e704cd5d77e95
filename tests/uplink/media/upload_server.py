"""An upload server of the tests' own: tus 1.0, PUT, ranges and S3-like parts over TLS, and every way to fail.

It keeps what it got in memory. The real servers are in `./dev upload-servers`; this one can break where it is told to.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.authority import Credentials

READ_AT_ONCE = 4096


class Cut(Exception):
    """The connection ends here."""


@dataclass
class Site:
    """What the server has, and what it shall do wrong."""

    url: str = ""
    files: dict[str, bytearray] = field(default_factory=dict)
    """By path."""
    lengths: dict[str, int] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers of each request, in order."""
    tus: bool = True
    sums: bool = True
    digests: bool = True
    cuts: list[int] = field(default_factory=list)
    """The next bodies end after so many bytes, one entry each."""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What is answered first to the next requests with a body, instead of the right thing."""
    damage: bool = False
    """The next chunk loses a bit on the way."""
    forgets: bool = False
    """What it takes of a chunk or a range is gone at once."""
    drips: threading.Event | None = None
    """Answers with a body come a byte at a time until this is set, and are never whole."""
    mute: int = 0
    """The next so many chunks, ranges and wholes are taken, and the answer is lost."""
    hangs: threading.Event | None = None
    """Bodies are taken only once this is set."""
    claims: list[int] = field(default_factory=list)
    """The next HEADs and chunks of tus tell these offsets, whatever is there."""
    leaves: list[int] = field(default_factory=list)
    """After the next chunks of tus so many bytes are there."""
    waits_for: int | None = None
    """Every HEAD of tus tells this length."""
    offsets: bool = True
    """Chunks of tus are answered with what is there then."""
    ranges: bool = True
    """It knows Content-Range; else whatever body comes is the whole."""
    held: list[str] = field(default_factory=list)
    """The next 308s tell this Range."""
    ends_after: list[int] = field(default_factory=list)
    """The next PUTs are answered well after so many bytes, with nothing kept, and nobody listens any more."""
    page: dict[str, str] | None = None
    """What is sent is thrown away, and a web page shown with these headers."""
    joins: list[bytes] = field(default_factory=list)
    """The next joins are answered 200 with this, and nothing is joined."""
    etag: str | None = None
    """Of every part."""
    sizes: list[int | None] = field(default_factory=list)
    """The next HEADs of a file tell these lengths (None: none) and no digest."""
    echoes: bool = False
    """It tells the digest that it was told, and throws the file away."""

    @property
    def place(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [method for method, _, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base's own names
        """Say nothing."""

    @property
    def site(self) -> Site:
        """What this server has."""
        return self.server.site

    def handle_one_request(self) -> None:
        """Let a cut be a cut."""
        try:
            super().handle_one_request()
        except (Cut, OSError):
            self.close_connection = True

    def note(self) -> None:
        """Remember the request."""
        self.site.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))

    def body(self, into: bytearray) -> None:
        """Take the body, or as much of it as comes."""
        if self.site.hangs is not None:
            self.site.hangs.wait(30)
        left = int(self.headers.get("Content-Length", "0"))
        cut = self.site.cuts.pop(0) if self.site.cuts else None
        while left > 0:
            size = min(READ_AT_ONCE, left if cut is None else min(left, cut))
            data = self.rfile.read(size) if size else b""
            if not data:
                raise Cut
            into += data
            left -= len(data)
            cut = None if cut is None else cut - len(data)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer."""
        if self.site.mute and self.command in {"PUT", "PATCH"} and self.headers.get("Content-Length") != "0":
            self.site.mute -= 1
            raise Cut
        self.send_response(status)
        if self.site.drips is not None and self.command in {"PUT", "PATCH"}:
            headers = {**(headers or {}), "Content-Length": "60000"}
        sized = {} if self.close_connection and self.command == "HEAD" else {"Content-Length": str(len(body))}
        for name, value in {**sized, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.site.drips is not None and self.command in {"PUT", "PATCH"}:
            while not self.site.drips.wait(0.01):
                self.wfile.write(b"x")
            raise Cut
        if self.command != "HEAD":
            self.wfile.write(body)

    def answered_otherwise(self) -> bool:
        """Do what the story wants instead."""
        if not self.site.answers:
            return False
        status, headers = self.site.answers.pop(0)
        self.body(bytearray())
        self.answer(status, headers)
        return True

    def do_OPTIONS(self) -> None:
        """What it can do."""
        self.note()
        if not self.site.tus:
            self.answer(405)
            return
        sums = {"Tus-Checksum-Algorithm": "sha1,sha256"} if self.site.sums else {}
        self.answer(204, {"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation", **sums})

    def do_POST(self) -> None:
        """Create (tus), or join parts (S3)."""
        self.note()
        if self.answered_otherwise():
            return
        if "complete" in self.path:
            said = bytearray()
            self.body(said)
            if self.site.joins:
                self.answer(200, {}, self.site.joins.pop(0))
                return
            names = sorted(
                (name for name in self.site.files if name.startswith("/part")), key=lambda name: int(name[5:])
            )
            etags = [hashlib.md5(self.site.files[name], usedforsecurity=False).hexdigest() for name in names]
            assert all(f'<ETag>"{etag}"</ETag>' in said.decode() for etag in etags)
            self.site.files["/whole"] = bytearray(b"".join(self.site.files[name] for name in names))
            self.answer(200, {}, b"<CompleteMultipartUploadResult/>")
            return
        name = f"{self.path}/{len(self.site.lengths)}"
        self.site.files[name], self.site.lengths[name] = bytearray(), int(self.headers["Upload-Length"])
        self.answer(201, {"Tus-Resumable": "1.0.0", "Location": name})

    def do_HEAD(self) -> None:
        """What it has."""
        self.note()
        held = self.site.files.get(self.path)
        if held is None:
            self.answer(404)
        elif self.path in self.site.lengths:
            length = str(self.site.waits_for or self.site.lengths[self.path])
            offset = str(self.site.claims.pop(0) if self.site.claims else len(held))
            self.answer(200, {"Tus-Resumable": "1.0.0", "Upload-Offset": offset, "Upload-Length": length})
        elif self.site.sizes:
            size = self.site.sizes.pop(0)
            self.close_connection = size is None
            self.answer(200, {"Connection": "close"} if size is None else {"Content-Length": str(size)})
        else:
            self.answer(200, {"Content-Length": str(len(held)), **self.digest(held)})

    def do_PATCH(self) -> None:
        """Take a chunk (tus)."""
        self.note()
        if self.answered_otherwise():
            return
        held = self.site.files.get(self.path)
        if held is None:
            self.body(bytearray())
            self.answer(404)
            return
        start = len(held)
        if int(self.headers["Upload-Offset"]) != start:
            self.body(bytearray())
            self.answer(409)
            return
        self.body(held)
        if self.site.forgets:
            del held[start:]
        if self.site.damage:
            held[-1] ^= 1
            self.site.damage = False
        if (wanted := self.headers.get("Upload-Checksum")) is not None:
            name, _, digest = wanted.partition(" ")
            assert name == "sha256"
            if base64.b64decode(digest) != hashlib.sha256(held[start:]).digest():
                del held[start:]
                self.answer(460)
                return
        if self.site.leaves:
            del held[self.site.leaves.pop(0) :]
        offset = str(self.site.claims.pop(0) if self.site.claims else len(held))
        self.answer(204, {"Tus-Resumable": "1.0.0"} | ({"Upload-Offset": offset} if self.site.offsets else {}))

    def do_PUT(self) -> None:
        """Take a whole, a range or a part."""
        self.note()
        if self.answered_otherwise() or self.threw_away():
            return
        held = self.site.files.setdefault(self.path, bytearray())
        asked = self.headers.get("Content-Range") if self.site.ranges else None
        if asked is None:
            held.clear()
            self.body(held)
        else:
            span, _, total = asked.removeprefix("bytes ").partition("/")
            if span != "*":
                assert int(span.partition("-")[0]) == len(held)
                self.body(held)
                if self.site.forgets:
                    held.clear()
            if len(held) < int(total):
                there = f"bytes=0-{len(held) - 1}" if held else None
                there = self.site.held.pop(0) if self.site.held else there
                self.answer(308, {} if there is None else {"Range": there})
                return
        etag = self.site.etag or f'"{hashlib.md5(held, usedforsecurity=False).hexdigest()}"'
        self.answer(200, {"ETag": etag, **self.digest(held)})

    def threw_away(self) -> bool:
        """Say that all is well, and keep nothing."""
        if self.site.ends_after:
            left = self.site.ends_after.pop(0)
            while left > 0:
                left -= len(self.rfile.read(min(left, READ_AT_ONCE)))
            self.close_connection = True
            self.answer(200, {"ETag": '"early"', "Connection": "close"})
        elif self.site.page is not None:
            self.body(bytearray())
            self.answer(200, {"Content-Type": "text/html; charset=utf-8", **self.site.page}, b"<html>Log in</html>")
        elif self.site.echoes:
            self.body(bytearray())
            told = self.headers.get("Repr-Digest")
            self.answer(200, {} if told is None else {"Repr-Digest": told})
        else:
            return False
        return True

    def digest(self, held: bytearray) -> dict[str, str]:
        """Of what it has (RFC 9530)."""
        if not self.site.digests:
            return {}
        return {"Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(held).digest()).decode()}:"}


class Server(ThreadingHTTPServer):
    """Its threads end with it."""

    daemon_threads = False

    def __init__(self, site: Site, context: ssl.SSLContext | None) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's own names
        """A client that hung up, or did not trust us, is no error here."""


@contextmanager
def upload_server(credentials: Credentials | None) -> Iterator[Site]:
    """A server on loopback, with TLS when it is given a certificate."""
    context = None
    if credentials is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    site = Site()
    server = Server(site, context)
    scheme = "http" if context is None else "https"
    site.url = f"{scheme}://localhost:{server.server_address[1]}/files"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        for event in (site.hangs, site.drips):
            if event is not None:
                event.set()
        server.shutdown()
        thread.join()
        server.server_close()
