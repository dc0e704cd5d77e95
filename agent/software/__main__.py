"""The program that looks at the slot in use (safepoint-software.service), and that lists what provision.sh filled."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Final

from agent.software.found import FOUND, Found, State, boot_id, boot_s
from agent.software.listing import LIST, Pace, write_list
from agent.software.look import PROVISIONED, Look, Notes

NOTES: Final = "notes.json"
NAMED: Final = 10


def main(argv: list[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="check", description=__doc__, allow_abbrev=False)
    parser.add_argument("--state", type=Path, default=FOUND.parent, help=f"the folder of its own ({FOUND.parent})")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list a slot that root has filled, and vouch for it")
    listing.add_argument("slot", type=Path)
    listing.set_defaults(run=list_provisioned)
    look = commands.add_parser("look", help="look at the slot in use")
    look.add_argument("--slots", type=Path, default=Path("/opt/safepoint/slots"), help="the folder of the slots")
    look.add_argument("--keys", type=Path, default=Path("/etc/safepoint/update-keys"), help="that sign updates")
    look.add_argument("--unless-right-within-h", type=float, default=0.0, help="a good look so lately is enough")
    look.add_argument("--mb-per-s", type=float, help="read no faster")
    look.set_defaults(run=look_at_current)
    args = parser.parse_args(argv)
    code: int = args.run(args)
    return code


def list_provisioned(args: argparse.Namespace) -> int:
    """List a slot and note the list."""
    write_list(args.slot)
    listed = hashlib.sha256((args.slot / LIST).read_bytes()).hexdigest()
    Notes(args.state / NOTES).note(args.slot, PROVISIONED, listed)
    return 0


def look_at_current(args: argparse.Namespace) -> int:
    """Look at the slot in use and write down what was found; whatever that is, the look itself succeeded."""
    if (args.slots / "trial").exists():
        say("a version is on trial: it is looked at when it has passed")
        return 0
    slot = args.slots / (args.slots / "current").readlink()
    before = Found.read(args.state / FOUND.name)
    if before is not None and is_enough(before, slot, args.unless_right_within_h * 3600):
        return 0
    pace = Pace(None if args.mb_per_s is None else args.mb_per_s * 1e6)
    found = Look(args.keys, Notes(args.state / NOTES), pace).at(slot)
    if slot.name != (args.slots / "current").readlink().name:
        say("another slot was taken into use meanwhile: it is looked at next time")
        return 0
    found.write(args.state / FOUND.name)
    say(f"slot {slot.name}: {found.state}, {found.files} files in {found.took_s:.0f} s {found.why}".rstrip())
    for each in found.wrong[:NAMED]:
        say(f"  {each}")
    return 0


def is_enough(before: Found, slot: Path, within_s: float) -> bool:
    """Whether this slot, as it was filled last, was found right in this run of the machine, and not too long ago."""
    try:
        listed = hashlib.sha256((slot / LIST).read_bytes()).hexdigest()
    except FileNotFoundError:
        return False
    same = (before.state, before.slot, before.listed, before.boot_id) == (State.RIGHT, slot.name, listed, boot_id())
    return same and boot_s() - before.boot_s < within_s


def say(line: str) -> None:
    """To the journal."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
