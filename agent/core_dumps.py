"""A process that crashes must not leave its memory behind: it holds the last seconds of sound (design rule 4)."""

from __future__ import annotations

import resource


def leave_no_core() -> None:
    """Let this process, and all that it starts, write no core dump.

    The service file says so too, but a bench and a demo have none. A program that the kernel pipes cores into
    (core(5)) is not bound by the limit but told it; systemd-coredump keeps to it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
