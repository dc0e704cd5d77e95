"""Hears all that a program and its children hand to the kernel, whatever they call it and however soon it is gone.

strace writes down the arguments of every system call that can put bytes into a file, a pipe or a socket, and of those
that would go past these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.privacy.layers import Artefact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDED_OVER = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg")
PAST = ("io_uring_setup", "vmsplice", "process_vm_writev")
"""Ways of bytes out of a process beside `HANDED_OVER`, and beside memory that is shared with a file."""
ADDRESSED = ("connect", "bind", "listen")
"""Calls that say where a socket leads or that it waits for callers; those that send may say so too."""
MOST_BYTES = 2**24
"""Of one call; strace cuts off what is longer, and the search refuses it."""
_CALL = re.compile(r"(\w+)\((?:\d+<([^>]*)>(?:\(deleted\))?)?(.*)\) += (-?\d+|0x[0-9a-f]+)(?: .*)?")
_NO_CALL = ("--- ", "+++ ")
"""Signals, and the thread's end."""
_MAPPED = re.compile(r"PROT_WRITE.*MAP_SHARED.*, \d+<([^>]*)>")
_GIVEN = re.compile(r'(?:^, |iov_base=)"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
"""The bytes of a call: its second argument, or all that stand in lists of pieces."""
_ADDRESS = re.compile(r"sa_family=AF_INET6?, sin6?_port=htons\((\d+)\)")
_NO_FILE = re.compile(r"(pipe|socket|anon_inode):|/dev/null$|/proc/\d+/oom_score_adj$")


class Calls:
    """What strace writes into a folder about one program."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "calls"
        self._files.mkdir()

    @property
    def under(self) -> tuple[str, ...]:
        """What the program's own command line is to follow: it stays the child of whoever starts it."""
        calls = ",".join((*HANDED_OVER, *PAST, *ADDRESSED, "mmap"))
        how = ("-D", "-ff", "-y", "-xx", "-s", str(MOST_BYTES), "--seccomp-bpf", "-e", f"trace={calls}")
        return ("strace", *how, "-o", str(self._files / "of"), "--")

    @property
    def ended(self) -> bool:
        """Whether all that was watched has ended, and is written down."""
        last = [path.read_bytes()[-200:].splitlines()[-1:] for path in self._files.iterdir()]
        return bool(last) and all(line and line[0].startswith(b"+++ ") for line in last)

    def written(self) -> set[str]:
        """The files that were written to, by the names that they had then."""
        calls = (to for _, name, to, _, result in self._calls() if name in HANDED_OVER and result > 0)
        return {to for to in calls if not _NO_FILE.match(to)}

    def ports(self) -> set[int]:
        """To which ports of networks anything was put through or sent, and on which callers were awaited."""
        found, bound, awaiting = set(), {}, set()
        for _, name, to, rest, _ in self._calls():
            ports = {int(port) for port in _ADDRESS.findall(rest)}
            if name == "bind":
                bound[to] = ports
            elif name == "listen":
                awaiting.add(to)
            elif name == "connect":
                found |= ports - {0}  # a look-up of names asks the kernel which way it would take
            else:
                found |= ports
        return found.union(*(bound.get(socket, {0}) for socket in awaiting))

    def ways_past(self) -> set[str]:
        """Which of `PAST` were called, and the files that are shared with memory to write into."""
        found = set()
        for _, name, _, rest, _ in self._calls():
            if name in PAST:
                found.add(name)
            elif name == "mmap" and (mapped := _MAPPED.search(rest)):
                found.add(_plain(mapped[1]).decode())
        return found

    def artefacts(self) -> tuple[list[Artefact], list[Artefact]]:
        """All that was handed over to files, and all to pipes and sockets.

        Each is by thread and place, and besides by thread in a row, as sound would be that goes a block a file.

        Raises:
            ValueError: a call gave more than is written down of it, or is written down in another way than is known.
        """
        to_files: dict[str, bytearray] = defaultdict(bytearray)
        to_others: dict[str, bytearray] = defaultdict(bytearray)
        for thread, name, to, rest, result in self._calls():
            if name not in HANDED_OVER or result <= 0:
                continue
            pieces = _GIVEN.findall(rest)
            if not pieces or any(cut for _, cut in pieces):
                msg = f"not all is written down of what {name} gave to {to}"
                raise ValueError(msg)
            data = b"".join(_plain(piece) for piece, _ in pieces)
            found = to_others if _NO_FILE.match(to) else to_files
            found[f"{thread} to {to}"] += data
            found[f"{thread} in a row"] += data
        files, others = (
            [Artefact(where, bytes(data)) for where, data in found.items()] for found in (to_files, to_others)
        )
        return files, others

    def _calls(self) -> Iterator[tuple[str, str, str, str, int]]:
        """Thread, name, where to, all arguments after that, and the result of each call in the order of its thread."""
        for path in sorted(self._files.iterdir()):
            for line in path.read_text(encoding="ascii").splitlines():
                if line.startswith(_NO_CALL) or line.endswith(" = ?"):  # the latter: the thread ended within it
                    continue
                if (call := _CALL.fullmatch(line)) is None:
                    msg = f"strace writes in a way that is not known here: {line[:200]}"
                    raise ValueError(msg)
                to = _plain(call[2]).decode(errors="replace") if call[2] else ""
                yield path.suffix.removeprefix("."), call[1], to, call[3], int(call[4], 0)


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
