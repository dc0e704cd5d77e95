"""Later releases of the agent that an update brings: made from the wheel of this one, with a file or two changed."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

from agent.software.signed import record_of
from agent.update.bundle import write_bundle
from agent.update.manifest import Manifest, WheelFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def release(  # noqa: PLR0913 - what a release is made of
    wheels: Path,
    manifest: Manifest,
    *,
    version: str,
    changes: Mapping[str, Callable[[str], str]],
    key: Ed25519PrivateKey,
    out: Path,
) -> Path:
    """Write a signed bundle of a version that differs from the present one by these changes.

    Args:
        wheels: The folder of the present version's wheels.
        manifest: Of the present version.
        version: Of the new one.
        changes: What becomes of a file's text, by its path in the wheel.
        key: Signs it.
        out: The folder for it.
    """
    own = next(file for file in manifest.files if file.name.startswith("safepoint_agent-"))
    name = own.name.replace(manifest.version, version)
    _rewrite(wheels / own.name, wheels / name, manifest.version, version, changes)
    content = (wheels / name).read_bytes()
    file = WheelFile(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    others = tuple(each for each in manifest.files if each is not own)
    records = {name: hashlib.sha256(record_of(wheels / name)).hexdigest()}
    records |= {each.name: manifest.records[each.name] for each in others}
    new = manifest.model_copy(update={"version": version, "files": (file, *others), "records": records})
    bundle = out / f"safepoint-{version}.update"
    with bundle.open("wb") as writing:
        write_bundle(writing, new, wheels, key)
    return bundle


def _rewrite(
    old: Path, new: Path, old_version: str, new_version: str, changes: Mapping[str, Callable[[str], str]]
) -> None:
    info = {f"safepoint_agent-{version}.dist-info": version for version in (old_version, new_version)}
    old_info, new_info = info
    record = []
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name in changes:
                changed = changes[name](content.decode())
                if changed.encode() == content:
                    msg = f"nothing was changed in {name}"
                    raise AssertionError(msg)
                content = changed.encode()
            if name == "agent/__init__.py":
                content = content.replace(f'"{old_version}"'.encode(), f'"{new_version}"'.encode())
            if name == f"{old_info}/METADATA":
                content = content.replace(
                    f"\nVersion: {old_version}\n".encode(), f"\nVersion: {new_version}\n".encode()
                )
            name = name.replace(old_info, new_info)  # noqa: PLW2901 - the same file in the new wheel
            if name == f"{new_info}/RECORD":
                continue
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
            target.writestr(name, content)
        target.writestr(f"{new_info}/RECORD", "".join([*record, f"{new_info}/RECORD,,\n"]))
