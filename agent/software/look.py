"""One look at the slot in use: every file against its list, the list against the signature and root's own notes."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from agent.software.found import Found, State, boot_id, boot_s
from agent.software.listing import LIST, ListUnusable, Pace, contents, differences, read_list
from agent.software.release import BUNDLE, NotSigned, digest_of
from agent.software.signed import check_signature, signed_contents

if TYPE_CHECKING:
    from pathlib import Path

PROVISIONED: Final = "provisioned"
"""In the notes: the list that provision.sh made, for which no signature vouches."""
MOST_NAMED: Final = 20
MOST_LETTERS: Final = 200
"""Of one name: who puts a file there chooses what it is called, and where."""


def in_words(named: str) -> str:
    """A file's name as it can go into a message, whatever bytes it has."""
    shown = named if named.isprintable() else ascii(named)
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 3]}..."


class Notes:
    """Root's notes: the SHA-256 of each slot's list, as it was good when it was looked at first.

    So a list that is exchanged afterwards is found, though what pip made on the unit is in no signature.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._lists: dict[str, str] = dict(json.loads(path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            self._lists = {}

    def get(self, slot: Path, release: str) -> str | None:
        """What was noted of a release in this slot."""
        return self._lists.get(f"{slot.name} {release}")

    def note(self, slot: Path, release: str, listed: str) -> None:
        """Remember it, instead of what was noted of this slot before.

        What root fills himself begins all anew: he may go back to a version that an update then brings once more.

        Raises:
            OSError: the disk does not take it.
        """
        kept = {
            key: value
            for key, value in self._lists.items()
            if key.endswith(f" {PROVISIONED}") or (release != PROVISIONED and not key.startswith(f"{slot.name} "))
        }
        self._lists = {**kept, f"{slot.name} {release}": listed}
        part = self._path.with_name(f".{self._path.name}.part")
        part.write_text(json.dumps(self._lists), encoding="utf-8")
        part.replace(self._path)


@dataclass(frozen=True)
class Look:
    """What it takes to look."""

    keys: Path
    """The folder of the public keys that updates are signed with."""
    notes: Notes
    pace: Pace = field(default_factory=Pace)

    def at(self, slot: Path) -> Found:
        """Look at all of a slot; takes a minute at the pace of a unit."""
        began_s, blank = time.monotonic(), Found(State.RIGHT, slot.name, boot_id(), boot_s())
        try:
            found = self._compared(slot, blank)
        except ListUnusable as why:
            found = replace(blank, state=State.UNLISTED, why=str(why))
        except Exception as error:  # noqa: BLE001 - whoever makes us stumble must not go unseen by that
            found = replace(blank, state=State.UNREADABLE, why=str(error) or repr(error))
        return replace(found, boot_s=boot_s(), took_s=round(time.monotonic() - began_s, 1))

    def _compared(self, slot: Path, blank: Found) -> Found:
        try:
            listing = (slot / LIST).read_bytes()
        except FileNotFoundError as error:
            msg = "it has no list"
            raise ListUnusable(msg) from error
        wanted, there, why = dict(read_list(listing)), contents(slot, self.pace), ""
        listed, signed, release = hashlib.sha256(listing).hexdigest(), BUNDLE in wanted, PROVISIONED
        if signed:
            try:
                release = self._vouched(slot, wanted)
            except (NotSigned, FileNotFoundError) as error:
                why = str(error)
        noted = self.notes.get(slot, release)
        if not why and noted is None and not signed:
            msg = "nobody vouches for its list"
            raise ListUnusable(msg)
        if not why and noted not in {None, listed}:
            why = "its list is not the one that was noted when it was new"
        wrong = differences(wanted, there)
        if not why and not wrong and noted is None:
            self.notes.note(slot, release, listed)
        return replace(
            blank,
            state=State.CHANGED if wrong or why else State.RIGHT,
            wrong=tuple(in_words(each) for each in wrong[:MOST_NAMED]),
            wrong_count=len(wrong),
            why=why,
            listed=listed,
            signed=signed,
            files=len(there),
        )

    def _vouched(self, slot: Path, wanted: dict[str, str]) -> str:
        """Put what the signature says over what the list says; returns what names the release."""
        head = (slot / BUNDLE).read_bytes()
        release = digest_of(head)
        if self.notes.get(slot, release) is None:  # later on the key may have been exchanged for another
            check_signature(head, self.keys)
        wanted.update(signed_contents(slot))
        return release
