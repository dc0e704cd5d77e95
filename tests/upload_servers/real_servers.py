"""Uploads to servers that others wrote: the tus project's own for Node.js, and an S3 that checks every signature.

Run by `./dev upload-servers`, which installs them from npm; not part of `./dev test`.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3

from agent.uplink.media.request import Confirmed, UploadRequest, UploadState, Way
from agent.uplink.media.web import tus
from fakes.authority import Authority
from tests.uplink.lab import until
from tests.uplink.media.desk import CLIP, FILM, Desk
from tests.upload_servers.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = Path("build/upload-servers")


@dataclass(frozen=True)
class Servers:
    """Both servers, and who vouches for them."""

    authority: Authority
    tus_port: int
    s3_port: int
    folder: Path

    @property
    def tus_url(self) -> str:
        """Where uploads are made."""
        return f"https://localhost:{self.tus_port}/files"

    @property
    def signer(self) -> Signer:
        """The keys of the storage (those that s3rver is born with)."""
        return Signer(f"localhost:{self.s3_port}", "S3RVER", "S3RVER")

    def tus_files(self) -> list[bytes]:
        """What the tus server has."""
        return [file.read_bytes() for file in (self.folder / "tus").iterdir() if file.suffix != ".json"]

    def ask_s3(self, method: str, path: str, **query: str) -> urllib3.BaseHTTPResponse:
        """Do as the control room does."""
        with urllib3.PoolManager(ca_certs=str(self.authority.ca_file)) as manager:
            return manager.request(method, self.signer.url(method, path, **query))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("servers")
    authority = Authority(folder / "authority")
    mine = authority.issue_server()
    command = ["node", "servers.mjs", str(mine.cert_file), str(mine.key_file), str(folder)]
    with subprocess.Popen(command, cwd=INSTALLED, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline() or b"{}")
        assert ports, "the servers did not start; their complaint is above"
        yield Servers(authority, ports["tus"], ports["s3"], folder)
        process.terminate()


@pytest.fixture
def desk(servers: Servers, tmp_path: Path) -> Desk:
    return desk_for(servers, tmp_path)


def desk_for(servers: Servers, folder: Path, port: int = 1, kbit_per_s: int = 1_000_000) -> Desk:
    """A unit that may send to both servers, and to this port."""
    hosts = tuple(f"localhost:{each}" for each in (servers.tus_port, servers.s3_port, port))
    return Desk(folder, ca_file=servers.authority.ca_file, hosts=hosts, kbit_per_s=kbit_per_s)


@contextmanager
def breaking(port: int, after_bytes: list[int]) -> Iterator[int]:
    """A way to a server whose connections break after so many bytes, one entry each; later ones hold."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        threads: list[threading.Thread] = []

        def pump(source: socket.socket, sink: socket.socket, left: int | None) -> None:
            with suppress(OSError):
                while (left is None or left > 0) and (
                    data := source.recv(16_384 if left is None else min(left, 16_384))
                ):
                    sink.sendall(data)
                    left = None if left is None else left - len(data)
            for sock in (source, sink):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    near, _ = door.accept()
                    far = socket.create_connection(("127.0.0.1", port))
                    left = after_bytes.pop(0) if after_bytes else None
                    ways = [
                        threading.Thread(target=pump, args=(near, far, left)),
                        threading.Thread(target=pump, args=(far, near, None)),
                    ]
                    for way in ways:
                        way.start()
                    threads.extend(ways)
                    for way in ways:
                        way.join()
                    near.close()
                    far.close()

        server = threading.Thread(target=serve)
        server.start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)
        server.join()


async def test_a_real_tus_server_gets_the_clip_over_connections_that_break(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus, "CHUNK_BYTES", 100_000)
    with breaking(servers.tus_port, [60_000, 90_000, 3_000]) as port:
        desk = desk_for(servers, tmp_path, port)
        done = await desk.sent(UploadRequest("up-1", CLIP, f"https://localhost:{port}/files"))
    assert done.state is UploadState.DONE
    assert FILM in servers.tus_files()
    assert UploadState.WAITING in {each.state for each in desk.told}


async def test_a_real_tus_server_goes_on_with_the_clip_of_an_earlier_life(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus, "CHUNK_BYTES", 50_000)
    desk = desk_for(servers, tmp_path, kbit_per_s=400)  # 6 s: it cannot be done by then
    before = len(servers.tus_files())
    async with desk.at_work() as uploads:
        await uploads.begin(UploadRequest("up-1", CLIP, servers.tus_url))
        await until(lambda: desk.told and desk.told[-1].sent_bytes >= 50_000, "some of it is there")
    assert len(desk.remembered) == 1
    later = desk_for(servers, desk.folder)
    async with later.at_work():
        done = await later.over()
    assert done.state is UploadState.DONE
    assert len(servers.tus_files()) == before + 1
    assert FILM in servers.tus_files()


async def test_a_real_s3_takes_a_signed_put(servers: Servers, desk: Desk) -> None:
    url, look = servers.signer.url("PUT", "/evidence/one.mp4"), servers.signer.url("HEAD", "/evidence/one.mp4")
    done = await desk.sent(UploadRequest("up-1", CLIP, url, way=Way.PUT, confirm_url=look))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.SIZE)
    assert servers.ask_s3("GET", "/evidence/one.mp4").data == FILM


async def test_a_real_s3_refuses_a_url_that_was_signed_for_something_else(servers: Servers, desk: Desk) -> None:
    url = servers.signer.url("GET", "/evidence/two.mp4")
    done = await desk.sent(UploadRequest("up-1", CLIP, url, way=Way.PUT))
    assert (done.state, "403" in str(done.reason)) == (UploadState.FAILED, True)
    guesser = Signer(servers.signer.host, servers.signer.access_key, "guessed")
    stranger = guesser.url("PUT", "/evidence/two.mp4")
    done = await desk.sent(UploadRequest("up-2", CLIP, stranger, way=Way.PUT))
    assert done.state is UploadState.FAILED
    assert servers.ask_s3("GET", "/evidence/two.mp4").status == 404
    assert "guessed" not in repr(desk.told)


async def test_a_real_s3_joins_signed_parts_of_which_one_broke(servers: Servers, tmp_path: Path) -> None:
    path, part_bytes = "/evidence/three.mp4", 5 * 1024 * 1024  # the smallest part that S3 takes, but the last
    film = FILM * 40
    begun = servers.ask_s3("POST", path, uploads="").data.decode()
    match = re.search(r"<UploadId>(.+?)</UploadId>", begun)
    assert match is not None
    with breaking(servers.s3_port, [6_000_000]) as port:
        desk = desk_for(servers, tmp_path, port)
        desk.clip.write_bytes(film)
        # What is signed is the host, too: the broken way has a name of its own.
        signer = replace(servers.signer, host=f"localhost:{port}")
        parts = tuple(signer.url("PUT", path, partNumber=str(number), uploadId=match[1]) for number in range(1, 5))
        done = await asyncio.wait_for(
            desk.sent(
                UploadRequest(
                    "up-1",
                    CLIP,
                    way=Way.PARTS,
                    part_urls=parts,
                    part_bytes=part_bytes,
                    complete_url=signer.url("POST", path, "application/xml", uploadId=match[1]),
                    confirm_url=signer.url("HEAD", path),
                )
            ),
            60,
        )
    assert (done.state, done.confirmed, len(done.etags)) == (UploadState.DONE, Confirmed.SIZE, 3)
    assert servers.ask_s3("GET", path).data == film
