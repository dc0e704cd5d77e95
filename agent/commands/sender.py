"""Sends the files that commands name: the media room's uploads, each answered for until it is over.

An upload is remembered on the disk by the media room, and its command by the office: after a restart they find each
other again by the command's reference, which goes with the upload.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.commands.carrying import NotTaken
from agent.signals import Answer, AnswerCommand, Media, Why
from agent.uplink.media.request import (
    FILES,
    Confirmed,
    File,
    PieceOf,
    Refusal,
    UploadRefused,
    UploadRequest,
    UploadState,
    Way,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.clock import Clock
    from agent.commands import uploads as wanted
    from agent.commands.carrying import Answering
    from agent.signals import Category
    from agent.uplink.media.request import UploadProgress
    from agent.uplink.media.uploads import Uploads

TOLD_EVERY_S: Final = 10.0
"""Every word on how an upload goes on is written down: not more often than this."""
ON_DISK_WITHIN_S: Final = 30.0
"""A disk that has not taken an upload by then does not take it, and somebody waits for an answer."""
_COMMAND: Final = "command"
_WHY: Final = {
    Refusal.INVALID: Why.INVALID,
    Refusal.NOT_ALLOWED: Why.FORBIDDEN,
    Refusal.NOT_FOUND: Why.NOT_FOUND,
    Refusal.TOO_LARGE: Why.OVERSIZED,
    Refusal.TOO_MANY: Why.BUSY,
    Refusal.DATA_PLAN: Why.UNAVAILABLE,
}
_ENDED: Final = {
    Confirmed.DIGEST: "has it, with the right SHA-256",
    Confirmed.CHUNKS: "has it, and took every chunk with its SHA-256, which it says that it compares",
    Confirmed.SIZE: "has it in its full length, but did not confirm the SHA-256: compare it with what is there",
    Confirmed.NOTHING: "took it, but confirmed neither length nor SHA-256: compare them with what is there",
}
"""Done is not always confirmed, and whoever relies on a film must know which it is."""
_MEDIA: Final = {name: Media(media) for media, name in FILES.items()}


class Sender:
    """`run` does the work; `take`, `moved` and `given_up` may be called meanwhile, on the event loop."""

    def __init__(
        self,
        uploads: Uploads,
        clock: Clock,
        *,
        category_of: Callable[[str], Category | None],
        answer: Answering,
    ) -> None:
        """A sender that rests until `run`.

        Args:
            uploads: Who moves the bytes.
            clock: Says when progress was told last.
            category_of: What an alert is about; None: there is no such alert.
            answer: Takes what comes of a command.
        """
        self._uploads = uploads
        self._clock = clock
        self._category_of = category_of
        self._answer = answer
        self._waiting: deque[tuple[str, UploadRequest]] = deque()
        self._unwanted: deque[str] = deque()
        self._resumed: list[str] = []
        self._told_s: dict[str, float] = {}
        self._news = asyncio.Event()

    def take(self, request: wanted.UploadRequest) -> None:
        """Begin to send a file, or queue it.

        Raises:
            NotTaken: it may not be sent there.
        """
        upload = UploadRequest(
            _id_of(request.command),
            self._piece_or_file(request.reference),
            request.url,
            Way.PARTS if request.part_urls else Way(request.way),
            dict(request.headers),
            part_urls=tuple(request.part_urls),
            part_bytes=request.part_bytes,
            complete_url=request.complete_url,
            confirm_url=request.confirm_url,
            context={_COMMAND: request.command},
        )
        try:
            self._uploads.check(upload)
        except UploadRefused as refused:
            raise NotTaken(_WHY[refused.code], str(refused)) from refused
        self._waiting.append((request.command, upload))
        self._news.set()

    def moved(self, progress: UploadProgress) -> None:
        """An upload goes on, or is over; those that no command asked for are nobody's business here."""
        ref = progress.context.get(_COMMAND)
        if ref is None or ref in self._unwanted:
            return
        result = {
            "host": progress.host,
            "sentBytes": progress.sent_bytes,
            "sizeBytes": progress.size_bytes,
            "sha256": progress.sha256,
        }
        match progress.state:
            case UploadState.DONE:
                self._told_s.pop(ref, None)
                confirmed = progress.confirmed or Confirmed.NOTHING
                text = f"{progress.host} {_ENDED[confirmed]}"
                result["confirmed"] = confirmed
                if progress.etags:
                    result["etags"] = list(progress.etags)  # with which whoever signed the parts joins them
                self._answer(AnswerCommand(ref, Answer.DONE, text=text, result=result))
            case UploadState.FAILED:
                self._told_s.pop(ref, None)
                self._answer(AnswerCommand(ref, Answer.FAILED, Why.UNAVAILABLE, progress.reason, result))
            case UploadState.WAITING:
                text = f"it is tried again: {progress.reason}"
                self._answer(AnswerCommand(ref, Answer.RUNNING, text=text, result=result))
            case _:
                now_s = self._clock.now().monotonic_s
                if now_s - self._told_s.get(ref, -TOLD_EVERY_S) >= TOLD_EVERY_S:
                    self._told_s[ref] = now_s
                    self._answer(AnswerCommand(ref, Answer.RUNNING, text="it is on its way", result=result))

    def resume(self, ref: str) -> None:
        """An earlier life of the unit took this command, and it was not over."""
        self._resumed.append(ref)
        self._news.set()

    def given_up(self, ref: str) -> None:
        """Nobody waits for this command any more."""
        self._told_s.pop(ref, None)
        for each in [each for each in self._waiting if each[0] == ref]:
            self._waiting.remove(each)
        self._unwanted.append(ref)
        self._news.set()

    async def run(self, working: Callable[[], None]) -> None:
        """Begin and end uploads as commands say, until cancelled."""
        working()
        await self._uploads.loaded()
        while True:
            self._tell_lost()
            while self._unwanted:
                await self._uploads.cancel(_id_of(self._unwanted[0]), "nobody waits for it any more")
                self._unwanted.popleft()
            while self._waiting:
                await self._begin(*self._waiting.popleft())
            self._news.clear()
            if not (self._unwanted or self._waiting or self._resumed):
                await self._news.wait()

    def _tell_lost(self) -> None:
        """Commands that an earlier life took, whose upload had not come to the disk or was over already."""
        resumed, self._resumed = self._resumed, []
        for ref in resumed:
            if not self._uploads.knows(_id_of(ref)):
                text = "the unit was restarted before it was known to be over"
                self._answer(AnswerCommand(ref, Answer.FAILED, Why.INTERRUPTED, text))

    async def _begin(self, ref: str, upload: UploadRequest) -> None:
        try:
            async with asyncio.timeout(ON_DISK_WITHIN_S):
                begun = await self._uploads.begin(upload)
        except UploadRefused as refused:
            self._answer(AnswerCommand(ref, Answer.REFUSED, _WHY[refused.code], str(refused)))
        except OSError as error:  # a TimeoutError is one
            text = f"the unit's own disk failed: {error.strerror or 'it does not answer'}"
            self._answer(AnswerCommand(ref, Answer.FAILED, Why.DISK, text))
        else:
            self._answer(AnswerCommand(ref, Answer.RUNNING, text=f"it goes to {begun.host}"))

    def _piece_or_file(self, reference: str) -> PieceOf | File:
        """What an incident's own footage is tells its alert; what a command had made, or an export, is just a file."""
        match reference.split("/"):
            case ["incidents", alert_id, name] if name in _MEDIA and self._category_of(alert_id) is not None:
                return PieceOf(alert_id, _MEDIA[name])
            case _:
                return File(Path(reference))


def _id_of(ref: str) -> str:
    """The upload of a command: the same one again is the same upload, in another life too."""
    return hashlib.sha256(ref.encode()).hexdigest()[:32]
