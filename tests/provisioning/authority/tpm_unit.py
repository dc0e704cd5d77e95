"""A unit that connects once with what is on its disk, and says that it is there; run as a process of its own.

OpenSSL reads OPENSSL_CONF once in a process, when it begins.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agent.clock import SystemClock
from agent.config.load import load_config
from agent.uplink.credentials import Credentials
from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.publication import Publication
from agent.uplink.topics import UnitTopics
from tests.uplink.lab import linked


async def main(config_file: str, broker: str) -> None:
    config = load_config(Path(config_file)).config
    found = Credentials.of(config, SystemClock())
    assert found is not None
    endpoint = Endpoint.at(broker, found.tls, insecure_lab=False)
    async with linked(endpoint, Manners(config.unit.id, session_expiry_s=0)) as link:
        await link.publish(Publication(UnitTopics(config.unit.org, config.unit.id).status, b"online"))
    sys.stdout.write("heard\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
