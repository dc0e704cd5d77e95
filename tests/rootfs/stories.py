"""What provision.sh must do in a real root file system, as stories; each returns what it measured."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.provisioning.terminal import CTRL_C, CTRL_D
from tests.rootfs.listing import Listing, comparable, differences, listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rootfs.root import Ended, Root

ANSWERS = """\
profile = safe-point
unit_id = hk-safepoint-001
org = ashfield
name = Hucknall Safe Point - "Central Walk"
location = Central Walk, opposite Boots
broker = mqtts://control.example.org:8883
footage = card
"""
NAME = 'Hucknall Safe Point - "Central Walk"'
BROKER = "mqtts://control.example.org:8883"
PLACE = "Central Walk, opposite Boots"
TYPED = ("", "HK 1", "hk-safepoint-001", "ashfield", NAME, PLACE, BROKER, "card")
"""The same by hand: the usual profile, and a mistake on the way."""
MISPLACED = tuple("Central Park" if line == PLACE else line for line in TYPED)
QUESTIONS = 9
"""Seven answers, whether they are right, and the token on the slip."""
RIGHT, WRONG, NO_SLIP = "y", "n", ""
ANSWERS_KEPT = "var/lib/safepoint-provision/answers"
READ_NAME = """\
from pathlib import Path
from agent.config.load import load_config
print(load_config(Path("/etc/safepoint/unit.yaml"), judge_files=False).config.unit.name)
"""
ASK_THE_SECOND_ENGINE = """\
from agent.voice import verifier
print(verifier.load().fit("help me", bytes(32000)))
"""
REFUSED = 2
KILLED = -9


class Broken(AssertionError):
    """A story did not go as it must."""


def must(holds: object, what: str, ended: Ended | None = None) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(what if ended is None else f"{what}; it ended with {ended.code}:\n{ended.text[-3000:]}")


def dry_run(root: Root) -> str:
    """A dry run names what would be changed, changes nothing, and tells what will be refused."""
    root.put("/root/answers", ANSWERS, 0o600)
    before = listing(root.folder)
    refused = root.provision("--dry-run", "--answers", "/root/answers")
    must(
        refused.code == REFUSED and "SSH takes passwords" in refused.text, "it is refused for SSH's passwords", refused
    )
    must("install the agent" in refused.text, "it says what would be done", refused)
    must("-- services" not in refused.text, "the services come only when nobody can come in", refused)
    changed = differences(before, listing(root.folder))
    must(not changed, f"a dry run changed {changed[:10]}")
    root.forbid_passwords()
    before = listing(root.folder)
    whole = root.provision("--dry-run", "--answers", "/root/answers")
    must(whole.code == 0 and "-- services" in whole.text, "without passwords it comes to its end", whole)
    changed = differences(before, listing(root.folder))
    must(not changed, f"a whole dry run changed {changed[:10]}")
    return f"{whole.text.count('would: ')} things would be changed, {refused.text.count('would: ')} before the services"


def unconfirmed(root: Root) -> str:
    """Whoever stops before he has said that the answers are right has told nothing; the next run asks all again."""
    root.forbid_passwords()
    broken_off = (
        ("a Ctrl-C amid the questions", (*TYPED[:4], CTRL_C), 1),
        ("a line that breaks amid them", TYPED[:4], KILLED),
        ("a Ctrl-D at the list", (*TYPED, CTRL_D), REFUSED),
        ("a Ctrl-C at the list", (*TYPED, CTRL_C), 1),
        ("a Ctrl-D after a correction", (*MISPLACED, WRONG, "", "", "", "", PLACE, "", "", CTRL_D), REFUSED),
    )
    for what, typed, code in broken_off:
        ended = root.converse(typed)
        must(ended.code == code and "-- packages" not in ended.text, f"{what}: it ends there", ended)
        must("Is this right?" in ended.text or "list" not in what, f"{what}: the answers are shown", ended)
        must(not (root.folder / ANSWERS_KEPT).exists(), f"{what}: nothing is saved", ended)
    shown = [line.split()[1:] for line in ended.text.splitlines() if line.strip().startswith("location ")]
    must(shown == [["Central", "Park"], PLACE.split()], "what was corrected is shown as it is now", ended)
    return f"{len(broken_off)} times broken off before the answers were confirmed, nothing saved"


def by_hand(root: Root) -> tuple[str, Listing]:
    """A person answers nine questions, once; a second run asks and changes nothing."""
    root.forbid_passwords()
    first = root.converse((*TYPED, RIGHT, NO_SLIP))
    must(first.code == 0 and first.figures is not None, "the first run ends well", first)
    must("That needs lower-case letters" in first.text, "a mistake is explained and asked again", first)
    took_s, questions = first.figures or (0, 0)
    must(questions == QUESTIONS, f"it asks {QUESTIONS} questions", first)
    works(root)
    before = listing(root.folder)
    second = root.provision()
    must(
        second.code == 0 and "nothing was changed" in second.text, "the second run says that it changed nothing", second
    )
    after = listing(root.folder)
    changed = differences(before, after)
    must(not changed, f"the second run changed {changed[:10]}")
    return f"{took_s} s from the first command, {questions} questions; the second run changed nothing", after


def offline(root: Root, bundle: Path, with_network: Listing) -> str:
    """Without any network, from a bundle, unattended: the same unit. A damaged or a foreign bundle is refused."""
    root.put("/root/answers", ANSWERS, 0o600)
    root.forbid_passwords()
    inside = "/var/tmp/unit.tar"  # noqa: S108 - in the root
    target = root.folder / inside.lstrip("/")
    whole = bundle.read_bytes()
    options = ("--answers", "/root/answers", "--offline", inside)
    target.write_bytes(damaged(whole))
    refused = root.provision(*options, network=False)
    must(refused.code == REFUSED and "damaged" in refused.text, "a damaged bundle is refused", refused)
    target.write_bytes(whole)
    refused = root.provision(*options, "--bundle-sha256", "0" * 64, network=False)
    must(refused.code == REFUSED and "do not use it" in refused.text, "another bundle is refused", refused)
    ended = root.provision(*options, network=False)
    must(ended.code == 0 and ended.figures is not None, "it needs no network", ended)
    works(root)
    target.unlink()
    other = differences(comparable(with_network), comparable(listing(root.folder)))
    must(not other, f"{len(other)} things differ from a unit with a network: {other[:10]}")
    took_s, questions = ended.figures or (0, 0)
    return f"{took_s} s with an empty network namespace, {questions} questions, bundle of {len(whole) // 1_000_000} MB"


def second_engine(root: Root, bundle: Path) -> str:
    """A unit gets the second engine of its voice when its answers say so: from the bundle, into the other slot."""
    root.put("/root/answers", f"{ANSWERS}second_engine = yes\n", 0o600)
    inside = "/var/tmp/unit.tar"  # noqa: S108 - in the root
    target = root.folder / inside.lstrip("/")
    target.write_bytes(bundle.read_bytes())
    slots = root.folder / "opt/safepoint/slots"
    before = (slots / "current").readlink()
    ended = root.provision("--answers", "/root/answers", "--offline", inside, network=False)
    target.unlink()
    must(ended.code == 0 and ended.figures is not None, "it is installed without a network", ended)
    must((slots / "current").readlink() != before, "the other slot is in use", ended)
    works(root)
    heard = root.run(["/opt/safepoint/bin/python", "-c", ASK_THE_SECOND_ENGINE])
    must(heard.code == 0 and float(heard.text) < 0, "it answers, with the numpy of the system", heard)
    config = (root.folder / "etc/safepoint/unit.yaml").read_text(encoding="utf-8")
    must("\n  verifier: true\n" in config, "the configuration asks it")
    took_s, _ = ended.figures or (0, 0)
    return f"{took_s} s with an empty network namespace"


def damaged(bundle: bytes) -> bytes:
    """The bundle with one bit of a package turned."""
    at = bundle.index(b"!<arch>") + 5_000
    return bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :]


def works(root: Root) -> None:
    """The unit is whole: its packages, its services, its configuration, its request."""
    audit = root.run(["/usr/bin/dpkg", "--audit"])
    must(audit.code == 0 and not audit.text, "no package is half installed", audit)
    enabled = root.run(
        ["/usr/bin/systemctl", "--root=/", "is-enabled", "safepoint-agent.service", "safepoint-reboot.path"]
    )
    must(enabled.text.split() == ["enabled", "enabled"], "agent and reboot path are enabled", enabled)
    said = root.run(["/opt/safepoint/bin/python", "-c", READ_NAME])
    must(said.text == f"{NAME}\n", "the name is as it was typed", said)
    python = root.run(["/opt/safepoint/bin/python", "-c", "import agent, sys; print(agent.__file__, sys.prefix)"])
    must(python.text.startswith("/opt/safepoint/slots/"), "the fixed path leads into the slot", python)
    for name in ("request.csr", "request-media.csr"):
        command = ["openssl", "req", "-in", root.folder / "var/lib/safepoint-provision" / name, "-noout", "-verify"]
        shown = subprocess.run([*map(str, command), "-subject"], check=False, capture_output=True, text=True)
        must("hk-safepoint-001" in shown.stdout and shown.returncode == 0, f"{name} names the unit: {shown.stderr}")
    log = (root.folder / "var/log/safepoint-provision.log").read_text(encoding="utf-8")
    must("PRIVATE KEY" not in log and not re.search(r"://[^/\s]*:[^/\s]*@", log), "the log holds no secret")


@dataclass(frozen=True)
class Moment:
    """A moment to pull the plug in."""

    name: str
    has_come: Callable[[Root, str], bool]


def _says(words: str) -> Callable[[Root, str], bool]:
    return lambda _, text: words in text


def _there(pattern: str) -> Callable[[Root, str], bool]:
    return lambda root, _: any(root.folder.glob(pattern))


def _unpacking(root: Root, _: str) -> bool:
    return any(Path(root.folder, "usr/lib/python3/dist-packages/numpy").glob("*.dpkg-new")) or (
        (root.folder / "var/lib/dpkg/info/python3-numpy.list").exists() is False
        and (root.folder / "usr/lib/python3/dist-packages/numpy").is_dir()
    )


MOMENTS = (
    Moment("before the answers", _says("-- answers\n")),
    Moment("between answers and packages", _says("-- packages\n")),
    Moment("while apt fetches", _there("var/cache/apt/archives/partial/*.deb")),
    Moment("while dpkg unpacks", _unpacking),
    Moment("while users are made", _says("make the group gpio")),
    Moment("while the environment is made", _there("opt/safepoint/slots/a/bin/python")),
    Moment("while pip installs", _there("opt/safepoint/slots/a/lib/python3*/site-packages/av")),
    Moment("when the slot is filled", _there("opt/safepoint/slots/a/provisioned-from")),
    Moment("before the configuration", _says("-- configuration\n")),
    Moment("while the key is born", _there("var/lib/safepoint/tls/requested.pem")),
    Moment("while services are installed", _says("write /etc/systemd/system/")),
    Moment("before the first service is enabled", _says("enable safepoint")),
)


def pulled_plugs(root: Root, uninterrupted: Listing) -> str:
    """Killed at each moment, and run again, it comes to the same end."""
    root.put("/root/answers", ANSWERS, 0o600)
    root.forbid_passwords()
    for moment in MOMENTS:
        ended = root.provision_until(partial(moment.has_come, root), "--answers", "/root/answers")
        must(ended is None, f"it was to be killed {moment.name}, and ended before", ended)
    last = root.provision("--answers", "/root/answers")
    must(last.code == 0, "it comes to its end at last", last)
    works(root)
    other = differences(comparable(uninterrupted), comparable(listing(root.folder)))
    must(not other, f"{len(other)} things differ from an uninterrupted run: {other[:10]}")
    return f"{len(MOMENTS)} kill -9, each resumed, to the same {len(uninterrupted)} files"
