"""`safepoint commission`: the walk test that makes a unit count, and the check of its signed result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.commission import checks, lead
from agent.cli.unit_file import add_unit_file

if TYPE_CHECKING:
    from agent.cli.main import Subparsers

DESCRIPTION = """\
Lead an engineer through the walk test of the unit that runs here: every sensor is set off and read back by the control
room, and camera, sound, network, power and papers are proved. Call it in a terminal on the unit; it can be left and
gone on with at any question. Until a unit has passed it where it stands, all its alerts are marked as tests.
"""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("commission", help="the walk test, and its signed result", description=DESCRIPTION)
    add_unit_file(parser)
    parser.add_argument(
        "--answers", metavar="FILE", type=Path, help="answers by key (YAML), for what need not be asked"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="where result and sheet go (here)")
    parser.add_argument("--again", action="store_true", help="begin anew: forget the steps that were done before")
    parser.set_defaults(func=lead.run)
    verbs = parser.add_subparsers(title="more", metavar="VERB")
    verify = verbs.add_parser("verify", help="check a result: was it signed by the unit, and is it as it was signed?")
    verify.add_argument("file", metavar="FILE", type=Path, help="the signed result (JSON)")
    verify.add_argument(
        "--ca", metavar="FILE", type=Path, help="the authority that vouches for the scheme's units (PEM)"
    )
    verify.set_defaults(func=checks.verify)
    status = verbs.add_parser("status", help="tell whether the unit is commissioned as it is configured now")
    status.set_defaults(func=checks.status)
    withdraw = verbs.add_parser("withdraw", help="the unit goes elsewhere: all its alerts are tests from now on")
    withdraw.set_defaults(func=checks.withdraw)
    for verb in (status, withdraw):
        add_unit_file(verb, verb=True)
    for verb in (verify, status, withdraw):
        verb.allow_abbrev = False
