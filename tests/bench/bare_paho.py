"""The reference: a plain paho client that publishes the same bytes to the same broker, and nothing else."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.authority import Credentials

LIMIT_S = 20.0
PAUSE_S = 0.1
"""Between two publications, as between two presses of the bench: caches are as cold for one as for the other."""


def publish_to_puback_s(port: int, credentials: Credentials, topic: str, payload: bytes, count: int) -> list[float]:
    """QoS 1 over mutual TLS, one after the other: seconds from `publish` to the broker's acknowledgement."""
    with connected(port, credentials, "bare-paho") as client:
        acknowledged = threading.Event()
        client.on_publish = lambda *_: acknowledged.set()
        return _each(client, topic, payload, count, acknowledged)


def publish_to_subscriber_s(
    port: int, ends: tuple[Credentials, Credentials], topic: str, payload: bytes, count: int
) -> list[float]:
    """QoS 1 over mutual TLS, one after the other: seconds from `publish` at one end to the callback at the other."""
    publisher, subscriber = ends
    with connected(port, publisher, "bare-paho") as here, connected(port, subscriber, "bare-paho-there") as there:
        arrived, subscribed = threading.Event(), threading.Event()
        there.on_message = lambda *_: arrived.set()
        there.on_subscribe = lambda *_: subscribed.set()
        there.subscribe(topic, qos=1)
        if not subscribed.wait(LIMIT_S):
            msg = "the reference client cannot subscribe"
            raise RuntimeError(msg)
        return _each(here, topic, payload, count, arrived)


@contextmanager
def connected(port: int, credentials: Credentials, client_id: str) -> Iterator[mqtt.Client]:
    """A plain paho client with its own thread, as its documentation shows it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
    context = ssl.create_default_context(cafile=str(credentials.ca_file))
    context.load_cert_chain(credentials.cert_file, credentials.key_file)
    client.tls_set_context(context)
    there = threading.Event()
    client.on_connect = lambda *_: there.set()
    client.connect("localhost", port)
    client.loop_start()
    try:
        if not there.wait(LIMIT_S):
            msg = "the reference client cannot connect"
            raise RuntimeError(msg)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _each(client: mqtt.Client, topic: str, payload: bytes, count: int, done: threading.Event) -> list[float]:
    samples = []
    for _ in range(count):
        time.sleep(PAUSE_S)
        done.clear()
        began_s = time.perf_counter()
        client.publish(topic, payload, qos=1)
        if not done.wait(LIMIT_S):
            msg = "the reference client's message did not arrive"
            raise RuntimeError(msg)
        samples.append(time.perf_counter() - began_s)
    return samples
