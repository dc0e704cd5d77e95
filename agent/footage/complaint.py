"""One thing that may be wrong: told to the daemon once when it begins, and once when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.helpers.messages import Trouble, TroubleOver

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.helpers.messages import Event


class Complaint:
    """Remembers whether it has been told; used from one thread."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._code: str | None = None

    @property
    def stands(self) -> bool:
        """Whether it was told and is not over."""
        return self._code is not None

    def make(self, code: str, text: str) -> None:
        """It is wrong in this way; the same way is told once."""
        if code == self._code:
            return
        self.withdraw()
        self._code = code
        self._tell(Trouble(code, text))

    def withdraw(self) -> None:
        """It works again."""
        if self._code is not None:
            self._tell(TroubleOver(self._code))
            self._code = None
