"""The diagnosis bundle: what somebody far away needs to understand a unit, and nothing that nobody may have.

No file of the unit goes in, only facts that were read for it: so neither keys nor footage can. Every text
goes through `agent.doctor.redact`, and each part and the whole are bounded.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from agent.doctor.facts import Facts
from agent.doctor.redact import redacted, redacted_deep
from agent.doctor.telling import machine, page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.doctor.finding import Finding

PART_MOST_BYTES: Final = 512 * 1024
FOLDER: Final = "safepoint-diagnosis"
READ_ME: Final = """\
A diagnosis of one Safe Point unit, made by `safepoint doctor --bundle FILE`.

findings.txt        what is wrong, the most important first
findings.json       the same for a machine
facts.json          what it was judged by
configuration.yaml  the configuration in force, with where each value comes from; silent phrases are left out
journal.txt         the agent's last lines

Keys, tokens, passwords, phrases and whatever looks like one of them were replaced by [removed]. No footage, no sound
and no file of the unit is in here.
"""


def write_bundle(target: Path, facts: Facts, found: Sequence[Finding]) -> int:
    """Make the file, for its owner's eyes only; returns its size in bytes.

    Raises:
        FileExistsError: it is there already, and is left as it is.
        OSError: it cannot be written.
    """
    packed = _packed(_texts(facts, found))
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        raise
    return len(packed)


def _texts(facts: Facts, found: Sequence[Finding]) -> Mapping[str, str]:
    """The files, by name, as they may leave."""
    configuration = facts.configuration
    private = () if configuration is None else configuration.private
    found = [
        replace(finding, what=redacted(finding.what, private), fix=redacted(finding.fix, private)) for finding in found
    ]
    texts = {
        "README.txt": READ_ME,
        "findings.txt": page(facts, found),
        "findings.json": machine(found),
        "facts.json": json.dumps(redacted_deep(_facts(facts), private), indent=2, ensure_ascii=False),
        # Phrases that are not silent stand on the sign, and here too.
        "configuration.yaml": "" if configuration is None else redacted(configuration.shown),
        "journal.txt": redacted("\n".join(facts.journal or ()) + "\n", private),
    }
    return {name: _bounded(text) for name, text in texts.items()}


def _facts(facts: Facts) -> Any:  # noqa: ANN401 - as JSON has it
    """All facts but the journal and the configuration, which have files of their own."""
    configuration = facts.configuration
    if configuration is not None:
        configuration = replace(configuration, config=None, shown="", private=())
    rest = replace(facts, configuration=configuration, journal=None)
    return TypeAdapter(Facts).dump_python(rest, mode="json")


def _bounded(text: str) -> str:
    """Its end, where it is too long: what happened last is what matters."""
    encoded = text.encode("utf-8", errors="replace")
    if len(encoded) <= PART_MOST_BYTES:
        return text
    return "[cut]\n" + encoded[-PART_MOST_BYTES:].decode("utf-8", errors="ignore")


def _packed(texts: Mapping[str, str]) -> bytes:
    raw = io.BytesIO()
    # Without times, owners and names of this machine.
    with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, text in texts.items():
            content = text.encode("utf-8", errors="replace")
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return raw.getvalue()
