"""The reference: a plain paho client that publishes the same bytes to the same broker, and nothing else."""

from __future__ import annotations

import ssl
import threading
import time
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from fakes.authority import Credentials

LIMIT_S = 20.0
PAUSE_S = 0.1
"""Between two publications, as between two presses of the bench: caches are as cold for one as for the other."""


def publish_to_puback_s(port: int, credentials: Credentials, topic: str, payload: bytes, count: int) -> list[float]:
    """QoS 1 over mutual TLS, one after the other: seconds from `publish` to the broker's acknowledgement."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bare-paho", protocol=mqtt.MQTTv5)
    context = ssl.create_default_context(cafile=str(credentials.ca_file))
    context.load_cert_chain(credentials.cert_file, credentials.key_file)
    client.tls_set_context(context)
    connected, acknowledged = threading.Event(), threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: acknowledged.set()
    client.connect("localhost", port)
    client.loop_start()
    samples = []
    try:
        if not connected.wait(LIMIT_S):
            msg = "the reference client cannot connect"
            raise RuntimeError(msg)
        for _ in range(count):
            time.sleep(PAUSE_S)
            acknowledged.clear()
            began_s = time.perf_counter()
            client.publish(topic, payload, qos=1)
            if not acknowledged.wait(LIMIT_S):
                msg = "the reference client's message was not acknowledged"
                raise RuntimeError(msg)
            samples.append(time.perf_counter() - began_s)
    finally:
        client.disconnect()
        client.loop_stop()
    return samples
