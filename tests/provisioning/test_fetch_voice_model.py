"""`provisioning/fetch-voice-model` against a server of its own: a model is installed as a whole and checked, or not."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import io
import os
import re
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "provisioning/fetch-voice-model"
NAME = "vosk-model-small-lab"


class Server(http.server.ThreadingHTTPServer):
    """Serves one file, and does as a bad line or a simple server does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.file = b""
        self.breaks_off_after: int | None = None
        """Sends no more of the file than this at once, though it promised all of it."""
        self.knows_ranges = True
        self.ranges: list[str | None] = []
        """What was asked for."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{NAME}.zip"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        if not self.server.file:
            self.send_error(404)
            return
        begin = int(re.findall(r"\d+", asked)[0]) if asked and self.server.knows_ranges else 0
        rest = self.server.file[begin:]
        if begin and not rest:
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(self.server.file) - 1}/{len(self.server.file)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.breaks_off_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def model_files() -> dict[str, bytes]:
    """The bundled model, as a model from elsewhere: without a list of checksums."""
    paths = [path for path in BUNDLED_MODEL.rglob("*") if path.is_file() and path.name != manifest.NAME]
    return {f"{NAME}/{path.relative_to(BUNDLED_MODEL)}": path.read_bytes() for path in paths}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def run(*args: str | Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "127.0.0.1"}
    return subprocess.run(
        [python, COMMAND, *args], capture_output=True, text=True, check=False, env=environment, timeout=280
    )


def fetch(server: Server, folder: Path, wanted: str | None = None) -> subprocess.CompletedProcess[str]:
    return run("--sha256", wanted or sum_of(server.file), server.url, folder)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_model_is_fetched_tried_installed_and_named_for_the_configuration(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    done = fetch(server, tmp_path / "voice models")
    assert done.returncode == 0, done.stderr
    installed = tmp_path / "voice models" / NAME
    assert yaml.safe_load(done.stdout) == {"voice": {"model": str(installed)}}
    assert vocabulary(installed) == vocabulary(BUNDLED_MODEL)
    assert manifest.damage(installed) is None
    assert (installed / manifest.NAME).is_file(), "from now on a flipped bit is noticed"
    assert [path.name for path in installed.parent.iterdir()] == [NAME]
    assert stat.S_IMODE((installed / "am/final.mdl").stat().st_mode) == 0o644
    assert stat.S_IMODE(installed.stat().st_mode) == 0o755


def test_the_daemons_user_can_look_into_every_folder_that_was_made(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    before = os.umask(0o077)
    try:
        done = fetch(server, tmp_path / "opt/voice")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    for folder in ("opt", "opt/voice", f"opt/voice/{NAME}"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o755


def test_a_model_that_is_there_already_stays_as_it_is(server: Server, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    server.file = zipped(model_files())
    assert f"{tmp_path / NAME} exists already: remove it first" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == [NAME]


@pytest.mark.parametrize("wanted", [None, "", "abc", "z" * 64])
def test_without_a_sha256_nothing_is_asked_of_any_server(server: Server, tmp_path: Path, wanted: str | None) -> None:
    asked = [] if wanted is None else ["--sha256", wanted]
    assert "a model from the network is not trusted" in refusal(run(*asked, server.url, tmp_path))
    assert (server.ranges, left_in(tmp_path)) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.zip",
        "model.zip",
        "https://[bad/x.zip",
        "http://127.0.0.1:1/modèle.zip",
        "http://a..b/x.zip",
    ],
)
def test_other_urls_are_refused(tmp_path: Path, url: str) -> None:
    assert "the URL must begin with https://" in refusal(run("--sha256", "0" * 64, url, tmp_path))
    assert left_in(tmp_path) == []


def test_a_wrong_sha256_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    sentence = refusal(fetch(server, tmp_path, wanted="0" * 64))
    assert f"what came has the SHA-256 {sum_of(server.file)}, not {'0' * 64}" in sentence
    assert left_in(tmp_path) == []


def test_a_file_that_is_not_there_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    assert "the server refuses the file: 404" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == []


def test_a_server_that_does_not_answer_is_one_sentence(server: Server, tmp_path: Path) -> None:
    server.server_close()
    assert "the download broke off (" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == []


def test_a_file_without_end_is_given_up(server: Server, tmp_path: Path) -> None:
    server.file = bytes(129 * 2**20)
    assert "larger than 128 MB" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_that_broke_off_goes_on_where_it_can(server: Server, tmp_path: Path, *, knows_ranges: bool) -> None:
    server.file, server.knows_ranges, server.breaks_off_after = zipped(model_files()), knows_ranges, 300_000
    assert "run the same command again to continue" in refusal(fetch(server, tmp_path))
    assert not (tmp_path / NAME).exists()
    server.breaks_off_after = None
    assert fetch(server, tmp_path).returncode == 0
    assert server.ranges == [None, "bytes=300000-"]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_half_that_is_of_another_file_costs_a_new_download_and_no_more(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    (tmp_path / f".{sum_of(server.file)}.part").write_bytes(b"rubbish")
    assert fetch(server, tmp_path).returncode == 0
    assert server.ranges == ["bytes=7-", None]


def test_what_a_killed_run_unpacked_is_cleared_away(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    (tmp_path / f".{sum_of(server.file)}.unpacking" / NAME / "am").mkdir(parents=True)
    assert fetch(server, tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "name",
    ["../outside", f"{NAME}/../../outside", "/outside", f"{NAME}/..\\outside", f"{NAME}/sub/../x", ".hidden/x"],
)
def test_an_archive_that_reaches_outside_is_refused(server: Server, tmp_path: Path, name: str) -> None:
    server.file = zipped({**model_files(), name: b"mine now"})
    assert "has no place in a model's folder: it is not trusted" in refusal(fetch(server, tmp_path / "models"))
    assert left_in(tmp_path) == ["models"]


def test_an_archive_with_a_link_is_refused(server: Server, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        link = zipfile.ZipInfo(f"{NAME}/am")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc")
    server.file = out.getvalue()
    assert "it is not trusted" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == []


def test_an_archive_that_swells_is_refused_before_the_disk_is_full(server: Server, tmp_path: Path) -> None:
    """It says of itself that it is small."""
    allowed = 256 * 2**20
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open(f"{NAME}/am", "w") as file,
    ):
        for _ in range(allowed // 2**24 + 1):
            file.write(bytes(2**24))
    server.file = out.getvalue()
    assert "unpacks to more than 256 MB" in refusal(fetch(server, tmp_path))
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "file", [b"no ZIP", zipped({"a/x": b"1", "b/x": b"2"}), zipped({}), zipped(model_files())[:-30]]
)
def test_what_is_no_archive_of_a_model_is_refused(server: Server, tmp_path: Path, file: bytes) -> None:
    server.file = file
    assert re.search("cannot be unpacked|it is no Vosk model", refusal(fetch(server, tmp_path)))
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({f"{NAME}/graph/HCLG.fst": b"fixed"}, "has a fixed vocabulary"),
        ({f"{NAME}/graph/Gr.fst": b""}, "graph/Gr.fst is missing or empty"),
        ({f"{NAME}/am/final.mdl": b"\0B no model"}, "is damaged; install it again"),
        ({f"{NAME}/{manifest.NAME}": b"0" * 64 + b"  am/final.mdl\n"}, "am/final.mdl is not as it was made"),
    ],
)
def test_a_model_that_takes_no_phrases_is_refused(
    server: Server, tmp_path: Path, change: dict[str, bytes], told: str
) -> None:
    server.file = zipped({**model_files(), **change})
    sentence = refusal(fetch(server, tmp_path))
    assert told in sentence
    assert ".unpacking" not in sentence.partition("(Vosk says")[0]
    assert left_in(tmp_path) == []


def test_two_fetches_of_one_file_do_not_meet(server: Server, tmp_path: Path) -> None:
    server.file = zipped(model_files())
    with (tmp_path / f".{sum_of(server.file)}.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "is at work: wait for it" in refusal(fetch(server, tmp_path))
    assert server.ranges == []


def test_a_python_without_the_agent_is_told_which_one_has_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", COMMAND, "http://127.0.0.1/a.zip", "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert f"use the unit's own, {ROOT / 'bin/python'}" in refusal(done)
    assert left_in(tmp_path) == []


def test_the_help_names_the_models_that_fit() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "vosk-model-small-en-us-0.15" in done.stdout
    assert "vosk-model-small-en-in-0.4" in done.stdout
