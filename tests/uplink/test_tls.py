"""The way to the broker is refused with one sentence when it cannot work."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from agent.uplink import tls
from agent.uplink.endpoint import Endpoint
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.tls import EndpointInvalid
from fakes.authority import Authority
from tests.uplink.lab import Ear, files_of, make_config, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CONNECT = b"\x10"
"""The first byte of MQTT."""


def _files(authority: Authority) -> dict[str, Any]:
    return {**files_of(authority, "unit-a")}


def test_tls_1_3_with_the_brokers_name_checked_is_the_only_tls(tmp_path: Path) -> None:
    endpoint = Endpoint.build("mqtts://broker.example.org", **_files(Authority(tmp_path)))
    assert (endpoint.host, endpoint.port) == ("broker.example.org", 8883)
    assert endpoint.tls is not None
    context = endpoint.tls.show().context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_the_endpoint_of_a_unit_is_what_its_settings_say() -> None:
    endpoint = Endpoint.from_settings(make_config(broker="mqtt://localhost:1999").uplink, None)
    assert (endpoint.host, endpoint.port, endpoint.tls) == ("localhost", 1999, None)


def test_plain_mqtt_is_for_a_bench_only() -> None:
    with pytest.raises(EndpointInvalid, match="without TLS"):
        Endpoint.build("mqtt://localhost")


@pytest.mark.parametrize("url", ["broker", "http://broker", "mqtts://", "mqtts://broker:port", "mqtts://broker:99999"])
def test_what_is_no_broker_is_refused(url: str) -> None:
    with pytest.raises(EndpointInvalid, match="is not a URL like mqtts"):
        Endpoint.build(url)


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    files = _files(Authority(tmp_path)) | {name: tmp_path / "missing.pem"}
    with pytest.raises(EndpointInvalid, match=rf"{name} .*missing.pem cannot be read"):
        Endpoint.build("mqtts://broker", **files)


@pytest.mark.parametrize("name", ["cert_file", "key_file"])
def test_a_file_that_was_not_given_is_asked_for(tmp_path: Path, name: str) -> None:
    files = {key: path for key, path in _files(Authority(tmp_path)).items() if key != name}
    with pytest.raises(EndpointInvalid, match="give cert_file and key_file"):
        Endpoint.build("mqtts://broker", **files)


def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = _files(authority) | {"key_file": authority.issue_client("unit-b").key_file}
    with pytest.raises(EndpointInvalid, match="no matching pair"):
        Endpoint.build("mqtts://broker", **files)


def test_an_authority_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(EndpointInvalid, match="holds no certificate"):
        Endpoint.build("mqtts://broker", **_files(Authority(tmp_path)) | {"ca_file": nonsense})


def test_tls_1_2_is_for_a_broker_that_was_allowed_it(tmp_path: Path) -> None:
    files = _files(Authority(tmp_path))
    endpoint = Endpoint.build("mqtts://broker", **files, allow_tls_1_2=True)
    assert endpoint.tls is not None
    assert endpoint.tls.show().context.minimum_version == ssl.TLSVersion.TLSv1_2


@asynccontextmanager
async def old_server(authority: Authority, heard: list[tuple[str | None, bytes]]) -> AsyncIterator[int]:
    """A server that has no TLS 1.3; it notes what was spoken and the first byte that came. Yields its port."""
    its_own = authority.issue_server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(its_own.cert_file, its_own.key_file)
    context.load_verify_locations(its_own.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((writer.get_extra_info("ssl_object").version(), await reader.read(1)))
        writer.transport.abort()

    async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_server_that_has_only_tls_1_2_is_refused_unless_the_configuration_allows_it(
    tmp_path: Path, *, allowed: bool
) -> None:
    authority, heard = Authority(tmp_path), list[tuple[str | None, bytes]]()
    async with old_server(authority, heard) as port:
        uplink = make_config(
            broker=f"mqtts://localhost:{port}", insecure_lab=False, allow_tls_1_2=allowed, **_files(authority)
        ).uplink
        endpoint = Endpoint.build(uplink.broker, **_files(authority), allow_tls_1_2=uplink.allow_tls_1_2)
        link = Link(endpoint, Manners("unit-a"), on_message=Ear())
        async with running(link):
            if allowed:
                await until(lambda: heard, "the handshake is done, and MQTT begins")
                assert heard[0] == ("TLSv1.2", CONNECT)
            else:
                await until(lambda: "TLS failed" in (link.trouble or ""), "it says what it does not like")
                assert heard == []


def test_a_file_that_goes_between_two_looks_is_a_sentence_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = _files(Authority(tmp_path))
    monkeypatch.setattr(tls, "_check_readable", lambda *_: files["key_file"].unlink(missing_ok=True))
    with pytest.raises(EndpointInvalid, match="No such file"):
        Endpoint.build("mqtts://broker", **files)
