"""The footage of an incident: still and strip of the trigger, and a clip that grows with the event.

The clip is cut when the post-event time has passed without another trigger. What happens later is part of the same
event as long as the incident is active: then the clip is cut again, from the same beginning to a later end, and takes
the place of the shorter one. A cut waits for its post-event time however many triggers there are, so there is at most
one in that time, and one more when the longest clip is reached.

A clip never reaches over a power cut: the clocks of two boots cannot be joined without a guess, and a guess is no
evidence. It ends with the footage of the boot that it began in, as capped; the recording of the next one goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of remembered state
from agent.incidents.categories import NATURES
from agent.incidents.deadlines import Deadline
from agent.signals import CutClip, Media, TakeStill, TakeStrip

if TYPE_CHECKING:
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn
    from agent.signals import MediaFailed, MediaReady, MediaSent, MediaUnderWay


class PieceStatus(StrEnum):
    """Whether a piece of footage can be looked at."""

    NONE = "none"
    """There will be none: no camera, or a category that needs none."""
    PENDING = "pending"
    """It is not complete. Of a clip that has a checksum already there is a shorter one meanwhile."""
    READY = "ready"
    FAILED = "failed"


@dataclass
class Wanted:
    """What a clip is to show."""

    start: Moment
    end: Moment
    """Later with each trigger, never earlier; of the same boot as `start`."""
    grown: bool = False
    """It became later than what is being cut: that cut is not the last."""


@dataclass
class Upload:
    """How sending a piece to where a command named goes on, or ended."""

    host: str
    sha256: str | None
    confirmed: str | None
    """How the server confirmed it; None: it is not there."""
    reason: str | None
    """Why not."""
    percent: int | None = None
    """How much of it the server has; None: it is over."""


@dataclass
class Piece:
    """A still, a strip or a clip."""

    status: PieceStatus = PieceStatus.NONE
    asked: bool = False
    """While it is pending: the recorder was asked for it, and has not answered."""
    start: Moment | None = None
    end: Moment | None = None
    """What it is to show, and once there is one what it really shows; of a still both are its one moment."""
    capped: bool = False
    """The event lasted longer than the longest clip, or over a power cut; the clip shows its beginning."""
    sha256: str | None = None
    size_bytes: int | None = None
    reason: str | None = None
    """Why it could not be made, or not be made longer."""
    wanted: Wanted | None = None
    """Of a clip."""
    upload: Upload | None = None
    """The last one."""


def begin(incident: Incident, began: Moment, turn: Turn) -> None:
    """A filmed incident was opened: take still and strip of the trigger, and plan the clip.

    Args:
        incident: The incident.
        began: When what triggered it began: the pre-event time counts from there, as far as the longest clip allows.
        turn: Takes what is decided.
    """
    if not (turn.config.camera.enabled and NATURES[incident.category].filmed):
        return
    opened, footage = incident.opened, turn.config.footage
    incident.still = Piece(PieceStatus.PENDING, asked=True, start=opened, end=opened)
    incident.strip = Piece(PieceStatus.PENDING, asked=True, start=opened, end=opened)
    turn.film(TakeStill(incident.alert_id, opened))
    turn.film(TakeStrip(incident.alert_id, opened))
    end = opened.later(footage.post_event_s)
    wanted = Wanted(max(min(began, opened).later(-footage.pre_event_s), end.later(-footage.clip_cap_s)), end)
    incident.clip = Piece(PieceStatus.PENDING, start=wanted.start, end=wanted.end, wanted=wanted)
    _await_footage(incident, wanted, turn)


def follow(incident: Incident, at: Moment, turn: Turn) -> None:
    """The event lasts at least until `at`: the clip is to show the post-event time after it, up to the longest clip."""
    clip, footage = incident.clip, turn.config.footage
    wanted = clip.wanted
    if wanted is None:
        return
    if at.boot_id != wanted.start.boot_id:
        clip.capped = True
        return
    end, longest_end = at.later(footage.post_event_s), wanted.start.later(footage.clip_cap_s)
    clip.capped = clip.capped or end > longest_end
    end = min(end, longest_end)
    if end <= wanted.end:
        return
    wanted.end = end
    if clip.status is PieceStatus.PENDING and clip.asked:
        wanted.grown = True
    else:
        _await_footage(incident, wanted, turn)


def cut(incident: Incident, _at: Moment, turn: Turn) -> None:
    """All footage of the event is there: ask for the clip, even when the incident was closed meanwhile."""
    incident.clip.status, incident.clip.asked = PieceStatus.PENDING, True
    _ask_for_clip(incident, turn)
    turn.keep(incident)


def take_up(incident: Incident, turn: Turn) -> None:
    """Go on after a restart: ask again for what was asked for and has not come, since who had the request is gone."""
    clip = incident.clip
    if clip.wanted is None and clip.start and clip.end:  # remembered by a program whose clips did not grow
        clip.wanted = Wanted(clip.start, clip.end)
    for piece, request in ((incident.still, TakeStill), (incident.strip, TakeStrip)):
        if piece.status is PieceStatus.PENDING and piece.asked and piece.start:
            turn.film(request(incident.alert_id, piece.start))
    if clip.status is PieceStatus.PENDING and clip.asked:
        _ask_for_clip(incident, turn)
    elif clip.wanted and Deadline.CLIP in incident.deadlines and clip.wanted.end.boot_id != turn.now.boot_id:
        incident.deadlines[Deadline.CLIP] = turn.now  # of another boot there is all the footage that there will be


def settled(incident: Incident) -> bool:
    """Whether no footage is awaited any more."""
    return PieceStatus.PENDING not in {incident.still.status, incident.strip.status, incident.clip.status}


def ready(incident: Incident, made: MediaReady, turn: Turn) -> None:
    """A piece is stored on the unit: tell it, also after the closing."""
    piece = _piece(incident, made.media)
    if piece.status is PieceStatus.READY and piece.sha256 == made.sha256:
        turn.note("footage_reported_again", incident, media=made.media)
        return
    piece.status = PieceStatus.READY
    piece.start, piece.end = made.start or piece.start, made.end or made.start or piece.end
    piece.sha256, piece.size_bytes, piece.reason = made.sha256, made.size_bytes, None
    turn.note("footage_ready", incident, media=made.media, size_bytes=made.size_bytes)
    _cut_on(incident, piece, turn)
    turn.tell(incident, made.at)


def failed(incident: Incident, missed: MediaFailed, turn: Turn) -> None:
    """A piece cannot be made: the operator must not wait for it. A shorter clip made before stays what it is."""
    piece = _piece(incident, missed.media)
    turn.note("footage_failed", incident, media=missed.media, reason=missed.reason)
    if piece.status in {PieceStatus.READY, PieceStatus.FAILED}:
        return
    piece.status = PieceStatus.READY if piece.sha256 else PieceStatus.FAILED
    piece.reason = missed.reason
    _cut_on(incident, piece, turn)
    turn.tell(incident, missed.at)


def under_way(incident: Incident, moved: MediaUnderWay, turn: Turn) -> None:
    """An upload got further. One that began anew, after a restart of the unit say, is told once it is beyond that."""
    piece = _piece(incident, moved.media)
    known = piece.upload
    if known is not None and known.percent is not None and known.host == moved.host and moved.percent <= known.percent:
        return
    piece.upload = Upload(moved.host, None, None, None, moved.percent)
    turn.tell(incident, moved.at)


def sent(incident: Incident, sent: MediaSent, turn: Turn) -> None:
    """An upload is over: the operator who asked for it is told with the alert, as is whoever looks later."""
    piece = _piece(incident, sent.media)
    piece.upload = Upload(sent.host, sent.sha256, sent.confirmed, sent.reason)
    turn.note("footage_sent" if sent.confirmed else "footage_not_sent", incident, media=sent.media, host=sent.host)
    turn.tell(incident, sent.at)


def _piece(incident: Incident, media: Media) -> Piece:
    return {Media.STILL: incident.still, Media.STRIP: incident.strip, Media.CLIP: incident.clip}[media]


def _cut_on(incident: Incident, piece: Piece, turn: Turn) -> None:
    """The event went on while the clip was being cut: it is to be cut again."""
    if piece.wanted is not None and piece.wanted.grown:
        piece.wanted.grown = False
        _await_footage(incident, piece.wanted, turn)


def _await_footage(incident: Incident, wanted: Wanted, turn: Turn) -> None:
    clip = incident.clip
    clip.status, clip.asked = PieceStatus.PENDING, False
    if clip.sha256 is None:
        clip.end, clip.reason = wanted.end, None
    incident.deadlines[Deadline.CLIP] = wanted.end if wanted.end.boot_id == turn.now.boot_id else turn.now


def _ask_for_clip(incident: Incident, turn: Turn) -> None:
    wanted = incident.clip.wanted
    if wanted is not None:
        wanted.grown = False
        turn.film(CutClip(incident.alert_id, wanted.start, wanted.end))
