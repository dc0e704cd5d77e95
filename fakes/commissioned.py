"""A unit that somebody has walk-tested: what its engineer would have left behind, signed with its own key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.commission.parts import fingerprints
from agent.commission.seal import Signer
from agent.commission.standing import new_secret, put

if TYPE_CHECKING:
    from agent.config.settings import Config


def commission(config: Config) -> None:
    """Leave a passed walk test of this configuration in the unit's state folder.

    Raises:
        ValueError: the unit has no key to sign with.
    """
    uplink, secret = config.uplink, new_secret()
    if uplink.key_file is None or uplink.cert_file is None:
        msg = "a unit without a key cannot sign its walk test"
        raise ValueError(msg)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    result = {"passed": True, "engineer": "the street", "ended": now, "parts": fingerprints(config, secret)}
    put(config.state_folder, Signer.load(uplink.key_file, uplink.cert_file).seal(result), secret)
