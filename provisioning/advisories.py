#!/usr/bin/env python3
"""Look whether weaknesses are known of the packages that a unit gets: each of all constraints files, at two sources.

  ./dev advisories               at PyPI (the Python Packaging Advisory Database) and at OSV (that and GitHub's)
  ./dev advisories --source osv  at one of them

It ends with 0: all were looked for, and nothing is known; 1: something is known; 2: it could not be found out, because
a source cannot be reached, does not know a package, or knows nothing at all. For the last, each source is first asked
about an old version of which everybody knows that it is weak: a mirror without advisories would call all of them good.

Let a scheduled job run it each day, and tell somebody when it does not end with 0. It tells the sources the names and
versions of our packages, which are public, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).resolve().parent
CONSTRAINTS: Final = tuple(f"constraints-{kind}.txt" for kind in ("cp311", "cp313", "verifier-cp311", "verifier-cp313"))
SOURCES: Final = ("pypi", "osv")
WEAK: Final = "urllib3==1.26.4"
"""CVE-2021-33503, and others since."""
WITHIN_S: Final = 900.0
"""Eighty packages, each a question or two, on a slow line."""
KNOWN, UNKNOWN = 1, 2


class NotFoundOut(Exception):
    """Whether there are weaknesses is not known; one sentence says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Look; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", choices=SOURCES, action="append", help="ask this one only (default: both)")
    parser.add_argument("--pip-audit", default=str(Path(sys.executable).with_name("pip-audit")), help="the program")
    parser.add_argument("--osv-url", help="another place where OSV's questions are answered")
    args = parser.parse_args(argv)
    code = 0
    for source in args.source or SOURCES:
        ask = [args.pip_audit, "--vulnerability-service", source]
        if source == "osv" and args.osv_url:
            ask += ["--osv-url", args.osv_url]
        try:
            found = sorted(set(weaknesses(ask)))
        except NotFoundOut as why:
            sys.stderr.write(f"advisories: NOT FOUND OUT at {source}: {why}\n")
            code = UNKNOWN
            continue
        sys.stdout.write("".join(f"{source}: {line}\n" for line in found) or f"{source}: nothing is known\n")
        code = max(code, KNOWN if found else 0)
    return code


def weaknesses(ask: Sequence[str]) -> Iterator[str]:
    """What a source knows of our packages: name, version, advisory, and the version that mends it.

    Raises:
        NotFoundOut: it cannot be asked, or does not know all of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        weak = Path(folder, "weak.txt")
        weak.write_text(f"{WEAK}\n", encoding="ascii")
        if not any(package.get("vulns") for package in asked([*ask, "--no-deps"], weak)):
            msg = f"it knows nothing of {WEAK}, which is known to be weak: it has no advisories"
            raise NotFoundOut(msg)
    for name in CONSTRAINTS:
        packages = asked([*ask, "--require-hashes"], HERE / name)
        wanted = sum(not line.startswith((" ", "#")) for line in (HERE / name).read_text(encoding="utf-8").splitlines())
        if len(packages) != wanted:
            msg = f"it was asked about {len(packages)} of the {wanted} packages of {name}"
            raise NotFoundOut(msg)
        for package in packages:
            if "skip_reason" in package:
                msg = f"it does not know {package['name']} of {name} ({package['skip_reason']})"
                raise NotFoundOut(msg)
            for each in package["vulns"]:
                mends = ", ".join(each["fix_versions"]) or "no version yet"
                yield f"{package['name']} {package['version']}: {each['id']}, mended by {mends}"


def asked(ask: Sequence[str], requirements: Path) -> list[dict[str, Any]]:
    """What pip-audit says of each package of a file.

    Raises:
        NotFoundOut: it says nothing.
    """
    options = ("--disable-pip", "--format", "json", "--progress-spinner", "off", "--requirement", str(requirements))
    try:
        done = subprocess.run([*ask, *options], capture_output=True, text=True, check=False, timeout=WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"pip-audit did not end well: {error}"
        raise NotFoundOut(msg) from error
    try:  # its exit code is 1 for weaknesses and for a source that is not there
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        lines = done.stderr.strip().splitlines() or ["without a word"]
        msg = f"pip-audit ended with {done.returncode}: {lines[-1]}"
        raise NotFoundOut(msg) from error
    return packages


if __name__ == "__main__":
    sys.exit(main())
