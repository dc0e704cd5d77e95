"""`safepoint update`: take a new version from the folder of bundles. systemd starts this (safepoint-update.service)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from agent.cli.main import Subparsers
    from agent.update.places import Source

EXIT_TAKEN_BACK = 1


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "update",
        help="take a new version of the agent: put it in the other slot, try it, keep it or go back",
        description=(
            "Take the newest bundle from STATE/incoming. systemd runs this by itself soon after a bundle is put there; "
            "STATE/outcomes.txt tells what became of each. Exit code 1: a version was tried and taken back."
        ),
    )
    places = {
        "--slots": ("/opt/safepoint/slots", "the folder of the slots"),
        "--state": ("/var/lib/safepoint-update", "the folder with `incoming` in it"),
        "--keys": ("/etc/safepoint/update-keys", "the folder of the public keys that bundles are checked with"),
        "--config": ("/etc/safepoint/unit.yaml", "the unit's configuration, which the new version must take"),
        "--status": ("/run/safepoint/status.json", "what the daemon shows of itself"),
        "--restart": ("/run/safepoint-update/restart", "the file that asks for the daemon's restart"),
    }
    for option, (default, meaning) in places.items():
        parser.add_argument(
            option, type=Path, default=Path(default), metavar="PATH", help=f"{meaning} (default: {default})"
        )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Update once.

    Raises:
        UsageError: this unit cannot be updated as it is.
    """
    from agent import journal  # noqa: PLC0415 - keeps the other commands quick
    from agent.update.bundle import BundleRefused  # noqa: PLC0415
    from agent.update.places import Places  # noqa: PLC0415
    from agent.update.slots import Slots, SlotsUnusable  # noqa: PLC0415
    from agent.update.updater import Updater  # noqa: PLC0415

    if args.slots.exists() and args.slots.stat().st_uid != os.geteuid():
        # What root leaves in a slot the service could never remove again.
        msg = f"{args.slots} belongs to another user: this is done by a service, systemctl start safepoint-update"
        raise UsageError(msg)
    journal.set_up()
    places = Places(args.state, args.keys, args.config, args.status, args.restart)
    try:
        all_well = Updater(Slots(args.slots), places, _source(args.config)).run()
    except (SlotsUnusable, BundleRefused) as unusable:
        raise UsageError(str(unusable)) from unusable
    except OSError as error:
        msg = f"the update cannot work: {error}"
        raise UsageError(msg) from error
    return 0 if all_well else EXIT_TAKEN_BACK


def _source(config_file: Path) -> Source | None:
    """The web server that the configuration names; none when it cannot be read, which the new version may mend."""
    import ssl  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    from agent.config.load import load_config  # noqa: PLC0415
    from agent.config.problems import ConfigInvalid  # noqa: PLC0415
    from agent.update.places import Source  # noqa: PLC0415

    try:
        settings = load_config(config_file, judge_files=False).config.update
        if settings.url is None:
            return None
        context = ssl.create_default_context()
        if settings.ca_file is not None:
            context.load_verify_locations(settings.ca_file)
    except (ConfigInvalid, OSError) as invalid:
        structlog.get_logger().warning("update_source_unknown", why=str(invalid).splitlines()[0])
        return None
    return Source(settings.url, context)
