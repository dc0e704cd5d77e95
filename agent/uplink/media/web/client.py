"""HTTPS for one upload: certificates checked, no redirect to anybody else, no answer that fills the memory.

urllib3, because it is there already (vosk brings it), is one pure-Python package, and blocks: an upload has a thread of
its own, whose sockets can be shut from outside, so nothing of it can hold the event loop.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from agent.uplink.background import BACKGROUND_SOCKET
from agent.uplink.media.web.errors import NeverWorks, Stopped, TryAgain
from agent.uplink.media.web.patience import Patience

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from agent.uplink.wire import Wire

CONNECT_S: Final = 10.0
ANSWER_S: Final = 30.0
"""A server that says or takes nothing for so long is not there."""
ANSWER_WITHIN_S: Final = 60.0
"""A server that has not taken a block, or has not answered in full, after so long does not: whatever drips from it."""
MOST_ANSWER_BYTES: Final = 64 * 1024
MOST_REDIRECTS: Final = 3
KEEPS_METHOD: Final = frozenset({307, 308})
NOW_NOT: Final = frozenset({408, 409, 423, 425, 429, 460})
"""Client errors that pass: slow, out of step, locked, too early, too often, a chunk that was damaged (tus)."""


@dataclass(frozen=True)
class Reply:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    """Its beginning."""


class Client:
    """Requests of one upload, one after the other. `hang_up` may be called from any thread, and ends it for good."""

    def __init__(
        self, context: ssl.SSLContext, headers: Mapping[str, str], wire: Wire, interface: str | None = None
    ) -> None:
        """A client that has asked nothing yet.

        Args:
            context: Whom it believes.
            headers: What goes with every request.
            wire: Counts what it carries.
            interface: The network interface to go through; None leaves that to the routing table.
        """
        self._headers = headers
        self._wire = wire
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._hung_up = False
        options = [*HTTPConnection.default_socket_options]
        if interface is not None:
            options.append((socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode()))
        self._manager = urllib3.PoolManager(
            num_pools=4,
            ssl_context=context,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S),
            socket_options=options,  # set before it connects
        )
        self._manager.pool_classes_by_scheme = {"http": _http_pool(self), "https": _https_pool(self)}

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Iterable[bytes]] | None = None,
        *,
        good: frozenset[int],
    ) -> Reply:
        """Ask, and return the answer when it is one of the good ones.

        A redirect is followed to the same scheme, host and port only, with the body from its beginning.

        Raises:
            TryAgain: the network failed, or the server does now.
            NeverWorks: the server refuses it, or sends us to somebody else.
            Stopped: somebody hung up.
        """
        for _ in range(MOST_REDIRECTS + 1):
            reply = self._ask(method, url, headers or {}, None if body is None else body())
            if reply.status in good:
                return reply
            if reply.status not in KEEPS_METHOD or "location" not in reply.headers:
                raise _judged(method, url, reply)
            url = same_place(url, reply.headers["location"])
        msg = f"{urlsplit(url).hostname} redirects too often"
        raise NeverWorks(msg)

    def hang_up(self) -> None:
        """End whatever waits in a request, now and later."""
        with self._lock:
            self._hung_up = True
        self._shut()

    def close(self) -> None:
        """Close what is idle."""
        self._manager.clear()

    def watch(self, sock: socket.socket) -> None:
        """Count an open socket, and remember it for `hang_up`."""
        self._wire.watch(sock)
        with self._lock:
            self._sockets = {each for each in self._sockets if each.fileno() >= 0} | {sock}
            if self._hung_up:
                _shut(sock)

    def look(self) -> None:
        """A socket is about to be closed: count what it carried."""
        self._wire.look()

    def _shut(self) -> None:
        """End the request that waits."""
        with self._lock:
            for sock in self._sockets:
                _shut(sock)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes] | None) -> Reply:
        if self._hung_up:
            raise Stopped
        response, patience = None, Patience(ANSWER_WITHIN_S, self._shut)
        too_late = TryAgain(f"{urlsplit(url).hostname} did not answer in full within {ANSWER_WITHIN_S:g} s")
        try:
            with patience:
                response = self._manager.request(
                    method,
                    url,
                    body=None if body is None else patience.around(body),
                    headers={**self._headers, **headers},
                    redirect=False,
                    preload_content=False,
                )
                answer = b"" if method == "HEAD" else response.read(MOST_ANSWER_BYTES, decode_content=False)
            if patience.lost:  # what was read before the end looks whole where no length was told
                raise too_late
            return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, answer)
        except (HTTPError, OSError) as error:
            if self._hung_up:
                raise Stopped from error
            if patience.lost:
                raise too_late from error
            msg = f"{urlsplit(url).hostname} cannot be reached: {_without_url(error)}"
            raise TryAgain(msg) from error
        finally:
            self.look()
            if response is not None:
                response.drain_conn() if response.status < 300 and method == "HEAD" else response.close()  # noqa: PLR2004


def same_place(url: str, location: str) -> str:
    """Where a server sends us, when that is the server itself.

    Raises:
        NeverWorks: it is somebody else, or no https.
    """
    target = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(target)
    if (before.scheme, before.hostname, _port(url)) != (after.scheme, after.hostname, _port(target)):
        msg = f"{before.hostname} sends us to {after.scheme}://{after.hostname}, which nobody named: refused"
        raise NeverWorks(msg)
    return target


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _judged(method: str, url: str, reply: Reply) -> TryAgain | NeverWorks:
    said = f"{urlsplit(url).hostname} answered {method} with {reply.status}"
    if reply.status >= 500 or reply.status in NOW_NOT:  # noqa: PLR2004 - the server's own failures
        wait = reply.headers.get("retry-after", "")
        return TryAgain(said, float(wait) if wait.isdecimal() else None)
    return NeverWorks(said)


def _without_url(error: Exception) -> str:
    """What went wrong, without the URL that urllib3 names and that may hold a signature."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None and not isinstance(cause, OSError):
        cause = deeper
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__


def _shut(sock: socket.socket) -> None:
    """Wake whoever waits in a socket, from another thread. `SSLSocket.shutdown` would take TLS away under its hands."""
    with contextlib.suppress(OSError):  # it is closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _http_pool(client: Client) -> Any:  # noqa: ANN401 - urllib3's pool class
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            _opened(client, self.sock)

        def close(self) -> None:
            client.look()
            super().close()

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    return Pool


def _https_pool(client: Client) -> Any:  # noqa: ANN401 - urllib3's pool class
    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            _opened(client, self.sock)

        def close(self) -> None:
            client.look()
            super().close()

    class Pool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return Pool


def _opened(client: Client, sock: Any) -> None:  # noqa: ANN401 - a socket, or TLS around one
    for option in BACKGROUND_SOCKET:
        sock.setsockopt(*option)
    client.watch(sock)
