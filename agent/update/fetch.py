"""Bundles from a web server, into the folder of those that an engineer brings.

The server is trusted with nothing: what it gives is kept only once its manifest is signed and is for this unit, which
is known from its first kilobytes. A download that breaks off goes on where it ended.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from typing import TYPE_CHECKING, Final

import structlog
import urllib3
from pydantic import BaseModel, ConfigDict, ValidationError
from urllib3.exceptions import HTTPError

from agent.durable import put_whole, sync_folder
from agent.update.bundle import MAGIC, MAX_MANIFEST_LINE, MAX_SIGNATURE_LINE, BundleRefused, BundleShort, read_manifest
from agent.update.versions import refusal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from agent.update.manifest import Manifest
    from agent.update.versions import Here

log = structlog.get_logger()

CONNECT_S: Final = 15.0
SILENT_S: Final = 60.0
"""A server that says nothing for so long is not there."""
LEAVES_FREE_BYTES: Final = 500_000_000
"""For the slot that the bundle is unpacked into, and for everybody else."""
CHUNK_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = len(MAGIC) + MAX_SIGNATURE_LINE + MAX_MANIFEST_LINE

OK, PARTIAL, NOT_MODIFIED, RANGE_WRONG = 200, 206, 304, 416


class NotFetched(Exception):
    """There is nothing from the server now; as the end of a sentence."""


class BadServer(NotFetched):
    """The server has something that nobody signed whom this unit knows."""


class Known(BaseModel):
    """What is remembered of the server's bundle, so that it is not fetched over and over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    judged: str = ""
    """The entity tag of the one that was dealt with."""
    judged_by: str = ""
    """The version that did; another one may judge otherwise."""
    begun: str = ""
    """The entity tag of the one whose download has begun."""


class Fetcher:
    """Fetches from one address."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext,
        state: Path,
        keys: Sequence[Ed25519PublicKey],
        here: Here,
    ) -> None:
        """A fetcher that has not asked yet.

        Args:
            url: The bundle for this kind of unit.
            context: Whom it trusts to be that server.
            state: The update's own folder.
            keys: Whose signature counts.
            here: What there is on this unit.
        """
        self._url = url
        self._here = here
        self._keys = keys
        self._part = state / "fetched.part"
        self._known_file = state / "fetched.json"
        self._incoming = state / "incoming"
        self._pool = urllib3.PoolManager(
            ssl_context=context, retries=False, timeout=urllib3.Timeout(connect=CONNECT_S, read=SILENT_S)
        )

    def fetch(self) -> None:
        """Put the server's bundle with the others, if it is new and for this unit.

        Raises:
            NotFetched: the server is not there, or what it has is of no use.
            OSError: the disk does not take it.
        """
        known = self._known()
        have = self._part.stat().st_size if known.begun and self._part.exists() else 0
        headers = {"If-None-Match": known.judged} if known.judged and known.judged_by == self._here.version else {}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": known.begun}
        try:
            with contextlib.closing(self._ask(headers)) as answer:
                if answer.status == NOT_MODIFIED:
                    return
                if answer.status == RANGE_WRONG:
                    self._part.unlink()
                    msg = "the server has another bundle than the one that was begun: it is asked again next time"
                    raise NotFetched(msg)
                if answer.status not in {OK, PARTIAL}:
                    msg = f"the server answered {answer.status}"
                    raise NotFetched(msg)
                tag = answer.headers.get("ETag", "")
                self._remember(known.model_copy(update={"begun": tag if _is_strong(tag) else ""}))
                self._take(answer.stream(CHUNK_BYTES), have if answer.status == PARTIAL else 0)
        except HTTPError as error:
            msg = f"the server cannot be reached: {type(error).__name__}"
            raise NotFetched(msg) from error
        self._remember(Known(judged=tag, judged_by=self._here.version))

    def _ask(self, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        headers = {"Accept-Encoding": "identity", **headers}
        return self._pool.request("GET", self._url, headers=headers, redirect=False, preload_content=False)

    def _take(self, chunks: Iterator[bytes], have: int) -> None:
        """Write what comes behind what there is, and judge it as soon as its manifest is there."""
        manifest: Manifest | None = None
        with self._part.open("r+b" if have else "wb") as part:
            part.seek(have)
            part.truncate()
            for chunk in chunks:
                part.write(chunk)
                part.flush()
                if manifest is None and (manifest := self._judged()) is not None:
                    if refusal(manifest, self._here) is not None:
                        self._part.unlink()
                        return
                    self._look_for_room(manifest)
                most = HEAD_BYTES if manifest is None else HEAD_BYTES + manifest.size_bytes
                if part.tell() > most + CHUNK_BYTES:
                    msg = "the server sends more than a bundle has"
                    raise NotFetched(msg)
            os.fsync(part.fileno())
        if manifest is None:
            msg = "the download broke off: it goes on next time"
            raise NotFetched(msg)
        self._part.replace(self._incoming / f"fetched-{manifest.version}.update")
        sync_folder(self._incoming)
        log.info("update_fetched", version=manifest.version)

    def _look_for_room(self, manifest: Manifest) -> None:
        free = shutil.disk_usage(self._part.parent).free
        if free < manifest.size_bytes + LEAVES_FREE_BYTES:
            msg = f"there is no room for version {manifest.version}: {free // 1_000_000} MB are free"
            raise NotFetched(msg)

    def _judged(self) -> Manifest | None:
        """What the bundle says of itself; None while its first lines are not all there."""
        with self._part.open("rb") as part:
            try:
                return read_manifest(io.BytesIO(part.read(HEAD_BYTES)), self._keys)
            except BundleShort:
                return None
            except BundleRefused as refused:
                msg = f"the server has a bundle that is of no use: {refused}"
                raise BadServer(msg) from refused

    def _known(self) -> Known:
        try:
            return Known.model_validate_json(self._known_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return Known()

    def _remember(self, known: Known) -> None:
        put_whole(self._known_file, known.model_dump_json().encode(), 0o644)


def _is_strong(tag: str) -> bool:
    """Whether this entity tag promises the same bytes (RFC 9110, 8.8.1), which is what a download goes on with."""
    return tag.startswith('"')
