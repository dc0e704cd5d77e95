"""Bundles from a web server that is trusted with nothing, over a line that breaks."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import agent
from agent.update.places import Source
from fakes.authority import Authority
from tests.update.bench import NEW, Bench, Does

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LIMIT_S = 30.0


class Shelf:
    """What the server has, what it shall do wrong, and what it was asked."""

    def __init__(self) -> None:
        self.content = b""
        self.tag = '"1"'
        self.cut_after: int | None = None
        self.sent: list[int] = []
        """Bytes of each answer."""
        self.asked: list[dict[str, str]] = []
        self._told = threading.Condition()

    def answered(self, sent: int) -> None:
        """One more answer has come to its end."""
        with self._told:
            self.sent.append(sent)
            self._told.notify_all()

    def sent_in(self, number: int) -> int:
        """Bytes of this answer, once it has come to its end."""
        with self._told:
            assert self._told.wait_for(lambda: len(self.sent) > number, LIMIT_S)
            return self.sent[number]


@contextmanager
def serving(shelf: Shelf, authority: Authority) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shelf.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            headers = shelf.asked[-1]
            if headers.get("if-none-match") == shelf.tag:
                self._answer(304, b"")
            elif "range" in headers and headers.get("if-range") == shelf.tag:
                self._answer(206, shelf.content[int(headers["range"].removeprefix("bytes=").rstrip("-")) :])
            else:
                self._answer(200, shelf.content)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", shelf.tag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut, shelf.cut_after = shelf.cut_after, None
            sent = 0
            while sent < len(body if cut is None else body[:cut]):
                try:
                    sent += self.wfile.write(body[sent : min(sent + 16_384, cut or len(body))])
                except OSError:  # who asked has heard enough
                    break
            shelf.answered(sent)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the base class has it
            """Nothing: pytest shows what fails."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    theirs = authority.issue_server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.cert_file, theirs.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/updates"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def bench(memory: Path, tmp_path: Path, shelf: Shelf) -> Iterator[Bench]:
    authority = Authority(tmp_path / "authority")
    with serving(shelf, authority) as url:
        bench = Bench(memory)
        bench.source = Source(url, ssl.create_default_context(cafile=str(authority.ca_file)))
        yield bench


def offer(bench: Bench, shelf: Shelf, version: str = NEW, **how: Any) -> None:  # noqa: ANN401 - as `bring` takes it
    """Put a bundle on the server instead of into the unit's folder."""
    bundle = bench.bring(version, **how)
    shelf.content, shelf.tag = bundle.read_bytes(), f'"{version}"'
    bundle.unlink()


def test_a_bundle_on_the_server_is_taken_and_not_fetched_again(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf)
    assert bench.update()
    assert bench.daemon.running == NEW
    assert bench.update()  # the new version looks at the beginning once, with its own eyes
    assert bench.update()
    assert (shelf.sent_in(0), shelf.sent_in(2)) == (len(shelf.content), 0)
    assert list(bench.incoming.iterdir()) == []
    assert shelf.asked[0]["path"].startswith("/updates/")
    assert shelf.asked[0]["path"].endswith(".update")


def test_a_download_that_breaks_off_goes_on_where_it_ended(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf)
    shelf.cut_after = 200_000
    assert bench.update()
    assert bench.daemon.running == agent.__version__
    assert bench.update()
    assert bench.daemon.running == NEW
    assert (shelf.sent_in(0), shelf.sent_in(1) < len(shelf.content) - 190_000) == (200_000, True)


def test_one_that_breaks_off_in_its_first_lines_goes_on_too(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf)
    shelf.cut_after = 100
    assert bench.update()
    assert bench.update()
    assert bench.daemon.running == NEW


def test_another_bundle_that_came_meanwhile_is_fetched_from_its_beginning(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf)
    shelf.cut_after = 200_000
    bench.update()
    offer(bench, shelf, "7.0.1")
    assert bench.update()
    assert bench.daemon.running == "7.0.1"


def test_of_a_bundle_that_this_unit_does_not_take_only_the_beginning_is_fetched(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf, "0.0.1")
    shelf.content += b"\0" * 20_000_000
    assert bench.update()
    assert shelf.sent_in(0) < 10_000_000
    assert bench.update()
    assert shelf.sent_in(1) == 0, "and it is not looked at again"


def test_nothing_of_a_bundle_that_others_signed_is_kept(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf, key=Ed25519PrivateKey.generate())
    assert bench.update()
    assert list(bench.incoming.iterdir()) == []
    assert bench.daemon.restarts == 1


def test_a_server_that_is_not_there_holds_up_no_bundle_of_an_engineer(bench: Bench) -> None:
    bench.source = Source("https://localhost:1", ssl.create_default_context())
    bench.bring()
    assert bench.update()
    assert bench.daemon.running == NEW


def test_a_server_that_shows_another_certificate_is_told_nothing(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf)
    assert bench.source is not None
    bench.source = Source(bench.source.url, ssl.create_default_context())
    assert bench.update()
    assert shelf.asked == []
    assert bench.daemon.running == agent.__version__


def test_what_is_no_bundle_is_not_read_to_its_end(bench: Bench, shelf: Shelf) -> None:
    shelf.content = b"<html>" * 4_000_000
    assert bench.update()
    assert shelf.sent_in(0) < 20_000_000
    assert list(bench.incoming.iterdir()) == []


def test_a_fetched_version_that_does_not_work_is_not_fetched_over_and_over(bench: Bench, shelf: Shelf) -> None:
    offer(bench, shelf, does=Does.NEVER_STARTS)
    assert not bench.update()
    bench.pass_time(5)
    assert bench.daemon.running == agent.__version__
    assert bench.update()
    assert shelf.sent_in(1) == 0
