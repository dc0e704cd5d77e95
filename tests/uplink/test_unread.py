"""How long a message may have lain in the socket of a process that stood still."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from agent.uplink.unread import IN_TIME_S, LOOK_EVERY_S, Unread
from fakes.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.fixture
def secured(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """The unit's end and the broker's, with TLS between them."""
    authority = Authority(tmp_path)
    broker = authority.issue_server()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(broker.cert_file, broker.key_file)
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    for end in ends:
        end.settimeout(0)  # one thread is both of them
    with (
        trusting.wrap_socket(ends[0], server_hostname="localhost", do_handshake_on_connect=False) as here,
        serving.wrap_socket(ends[1], server_side=True, do_handshake_on_connect=False) as there,
    ):
        shaking = [here, there]
        while shaking:
            for end in (*shaking,):
                with suppress(ssl.SSLWantReadError):  # it is the other one's turn
                    end.do_handshake()
                    shaking.remove(end)
        yield here, there


def test_while_somebody_listens_nothing_lies(time: Time, ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    unread = Unread(time)
    for _ in range(5):
        time.now_s += LOOK_EVERY_S
        unread.look(here)
    time.now_s += LOOK_EVERY_S + IN_TIME_S / 2
    there.send(b"just now")
    assert unread.at_most_s == 0.0


def test_after_a_stop_or_a_sleep_it_may_have_come_at_its_beginning(
    time: Time, ends: tuple[socket.socket, socket.socket]
) -> None:
    here, there = ends
    unread = Unread(time)
    unread.look(here)
    there.send(b"some time")
    time.now_s += 5.0
    assert unread.at_most_s == 5.0
    unread.look(here)
    assert unread.at_most_s == 5.0, "to look at what waits is not to read it"
    here.recv(100)
    unread.look(here)
    assert unread.at_most_s == 0.0


def test_more_than_can_be_handled_is_not_taken_for_new(time: Time, ends: tuple[socket.socket, socket.socket]) -> None:
    here, there = ends
    unread = Unread(time)
    there.send(bytes(10))
    for _ in range(10):
        time.now_s += LOOK_EVERY_S
        unread.look(here)
        assert here.recv(1)
    assert unread.at_most_s == 10 * LOOK_EVERY_S


def test_what_lies_decrypted_inside_tls_is_unread_though_the_socket_is_empty(
    time: Time, secured: tuple[ssl.SSLSocket, ssl.SSLSocket]
) -> None:
    here, there = secured
    unread = Unread(time)
    there.send(b"two commands in one record")
    assert here.recv(3) == b"two"
    assert not select.select([here], [], [], 0)[0], "nothing is left to decrypt"
    time.now_s += 5.0
    unread.look(here)
    assert unread.at_most_s == 5.0
    here.recv(100)
    unread.look(here)
    assert unread.at_most_s == 0.0


def test_a_connection_that_begins_late_has_nothing_old(time: Time) -> None:
    unread = Unread(time)
    time.now_s += 10.0  # the handshakes
    unread.begin()
    assert unread.at_most_s == 0.0
