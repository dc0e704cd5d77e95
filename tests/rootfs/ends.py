"""A unit with a disk of its own for footage moves, and ends: what is left of it, searched byte by byte."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.rootfs.stories import ANSWERS, REFUSED, must

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rootfs.root import Root

DISK_MB = 96
MARK = "Ten past two, Central Walk: what only this footage shows. "
RECORD = "root/hk-safepoint-001.json"
REF = "NP-2026-0815"
LATER_REF = "NP-2026-0816"
MAKE_FOOTAGE = """\
import sys
from datetime import UTC, datetime
from pathlib import Path
from agent.footage.keep.holds import Hold, Holds
footage = Path("/srv/safepoint/footage")
footage.mkdir(exist_ok=True)
(footage / "film.ts").write_text(sys.argv[1] * 50_000)
at = datetime(2026, 11, 29, 2, 10, tzinfo=UTC)
Holds(footage).place(Hold(sys.argv[2], "theft", "J. Smith", at, at, at, ()))
"""
STEPS = """\
set -u
provision() { /release/provisioning/provision.sh --test-root --answers /root/answers; }
record=/root/hk-safepoint-001.json
end=(/opt/safepoint/provisioning/decommission.sh --record "$record" --by "J. Smith" --overwrite)
provision || exit 90
echo SECOND; provision || exit 91
findmnt -n -o OPTIONS --mountpoint /srv/safepoint
runuser -u safepoint -- /opt/safepoint/bin/python -c "$1" "$2" "$3" || exit 92
cp /root/cert.pem /var/lib/safepoint/tls/cert.pem
sync
echo MOVED; /opt/safepoint/bin/safepoint relocate --name Market --location "South end" --by "J. Smith"; echo "code $?"
stat -c %U:%G /var/lib/safepoint/series.json
echo HELD; "${end[@]}" --confirm hk-safepoint-001; echo "code $?"
echo LISTED; /opt/safepoint/provisioning/decommission.sh --list
echo OTHER; "${end[@]}" --confirm hk-safepoint-002 --handed-over "$3"; echo "code $?"
echo KILLED; "${end[@]}" --confirm hk-safepoint-001 --handed-over "$3" &
while [ -d /var/lib/safepoint/tls ]; do sleep 0.01; done
kill -9 $! && wait $!; echo "code $?"
/usr/bin/python3 -c "$4" "$record.begun" hk-safepoint-001 hk-safepoint-009
echo FOREIGN; "${end[@]}" --confirm hk-safepoint-001 --handed-over "$3"; echo "code $?"
/usr/bin/python3 -c "$4" "$record.begun" hk-safepoint-009 hk-safepoint-001
runuser -u safepoint -- /opt/safepoint/bin/python -c "$1" "$2" "$5" || exit 93
echo LATER; "${end[@]}" --confirm hk-safepoint-001 --handed-over "$3"; echo "code $?"
echo ENDED; "${end[@]}" --confirm hk-safepoint-001 --handed-over "$3" --handed-over "$5"; echo "code $?"
"""
RENAME = """\
import sys
from pathlib import Path
begun = Path(sys.argv[1])
begun.write_text(begun.read_text().replace(f'"unit": "{sys.argv[2]}"', f'"unit": "{sys.argv[3]}"'))
"""


def decommissioned(root: Root) -> str:
    """Held footage is not wiped before it was handed over; then nothing of the unit is left, and a record says so."""
    with disk(root.folder.with_suffix(".disk")) as device:
        root.put("/root/answers", ANSWERS.replace("footage = card", f"footage = {device}"), 0o600)
        key, certificate = _secret(root), _certificate(root)
        must(_found(root.folder, key), "the search finds a key that is there")
        told = root.run(["/usr/bin/bash", "-c", STEPS, "steps", MAKE_FOOTAGE, MARK, REF, RENAME, LATER_REF])
        part = _parts(told.text)
        must(f"mount {device}" in part["FIRST"], "the disk is mounted", told)
        must("nothing was changed" in part["SECOND"] and "nosuid" in part["SECOND"], "once", told)
        must("code 0" in part["MOVED"] and "series 2 begins" in part["MOVED"], "the unit moves on", told)
        must("safepoint:safepoint" in part["MOVED"], "as the agent's user", told)
        must(f"code {REFUSED}" in part["HELD"] and REF in part["HELD"], "held footage is in the way", told)
        must(f"{REF}: " in part["LISTED"] and "theft" in part["LISTED"], "the hold list says so", told)
        must(f"code {REFUSED}" in part["OTHER"], "another unit's id is refused", told)
        must("code 137" in part["KILLED"], "it was killed at work", told)
        foreign, later = part["FOREIGN"], part["LATER"]
        must(
            f"code {REFUSED}" in foreign and "hk-safepoint-009" in foreign, "another unit's beginning is refused", told
        )
        must(f"code {REFUSED}" in later and LATER_REF in later, "a hold placed since is asked for", told)
        must("code " in part["ENDED"] and f"code {REFUSED}" not in part["ENDED"], "then it is wiped", told)
        must(MARK.encode() not in Path(device).read_bytes(), "the disk has nothing of the footage, byte by byte", told)
    record = json.loads((root.folder / RECORD).read_text(encoding="utf-8"))
    held = {hold["ref"] for hold in record["holds"]}
    must(
        record["handed_over"] == [REF, LATER_REF] and held == {REF, LATER_REF},
        f"the record has the hold list: {record}",
    )
    must(record["footage_files"] > 0 and record["unit"] == "hk-safepoint-001", f"and what was there: {record}")
    must(certificate in record["certificates_sha256"], f"and which certificates to revoke: {record}")
    left = [what for what in record["not_done"] if "discard" not in what]
    must(not left, f"all else was done: {left}")
    must(not _found(root.folder, key), "no file has the key any more")
    for gone in ("etc/safepoint", "var/lib/safepoint", "var/lib/safepoint-provision", "opt/safepoint"):
        must(not (root.folder / gone).exists(), f"{gone} is gone")
    must(not list((root.folder / "etc/systemd/system").rglob("safepoint-*")), "no service is left")
    return "nothing of key and footage is found; the record has the hold, the certificate and what was done"


@contextmanager
def disk(image: Path) -> Iterator[str]:
    """A real ext4 disk: a file behind a loop device."""
    with image.open("wb") as file:
        file.truncate(DISK_MB * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-m", "1", "-L", "footage", str(image)], check=True)
    shown = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True)
    device = shown.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
        image.unlink()


def _parts(text: str) -> dict[str, str]:
    """What was said after each word of `STEPS` that stands alone in capitals."""
    first, *others = re.split(r"^([A-Z]+)\r?\n", text, flags=re.MULTILINE)
    return {"FIRST": first, **dict(zip(others[::2], others[1::2], strict=True))}


def _secret(root: Root) -> bytes:
    """A line of the key that was born here."""
    pem = (root.folder / "var/lib/safepoint/tls/requested.pem").read_bytes()
    return pem.splitlines()[1]


def _certificate(root: Root) -> str:
    """Lay a certificate into the root; returns the SHA-256 by which an authority knows it."""
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=u",
    ]
    target = root.folder / "root/cert.pem"
    subprocess.run([*made, "-keyout", "/dev/null", "-out", str(target)], check=True, capture_output=True)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(target.read_text(encoding="ascii"))).hexdigest()


def _found(folder: Path, secret: bytes) -> bool:
    names = ("etc", "var", "opt", "root", "srv", "home", "usr/local")
    files = (path for name in names for path in (folder / name).rglob("*") if path.is_file() and not path.is_symlink())
    return any(secret in path.read_bytes() for path in files)
