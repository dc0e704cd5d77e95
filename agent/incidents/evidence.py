"""The footage of an incident: a still of the trigger, and a clip of the whole event once it is on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.clock import Moment  # noqa: TC001 - pydantic reads the types of remembered state
from agent.incidents.categories import NATURES
from agent.incidents.deadlines import Deadline
from agent.signals import CutClip, Media, TakeStill

if TYPE_CHECKING:
    from agent.incidents.incident import Incident
    from agent.incidents.turn import Turn
    from agent.signals import MediaFailed, MediaReady


class PieceStatus(StrEnum):
    """Whether a piece of footage can be looked at."""

    NONE = "none"
    """There will be none: no camera, or a category that needs none."""
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass
class Piece:
    """A still or a clip."""

    status: PieceStatus = PieceStatus.NONE
    asked: bool = False
    """The recorder was asked for it."""
    start: Moment | None = None
    end: Moment | None = None
    """What was asked for, then what it really shows; of a still both are its one moment."""
    capped: bool = False
    """The event lasted longer than the longest clip; the clip shows its beginning."""
    sha256: str | None = None
    size_bytes: int | None = None
    reason: str | None = None
    """Why it could not be made."""


def begin(incident: Incident, turn: Turn) -> None:
    """A filmed incident was opened: take a still of the trigger."""
    if not (turn.config.camera.enabled and NATURES[incident.category].filmed):
        return
    incident.still = Piece(PieceStatus.PENDING, asked=True, start=incident.opened, end=incident.opened)
    incident.clip = Piece(PieceStatus.PENDING, start=incident.opened.later(-turn.config.footage.pre_event_s))
    turn.film(TakeStill(incident.alert_id, incident.opened))


def follow(incident: Incident, turn: Turn) -> None:
    """There was another trigger: the clip ends after it, unless it is long enough already."""
    clip, footage = incident.clip, turn.config.footage
    if clip.status is not PieceStatus.PENDING or clip.asked or clip.start is None:
        return
    wanted_end = incident.last.later(footage.post_event_s)
    longest_end = clip.start.later(footage.clip_cap_s)
    if clip.start.boot_id == wanted_end.boot_id:
        clip.capped = wanted_end > longest_end
    else:  # the event outlived a power cut, so only wall time measures it
        clip.capped = wanted_end.wall > longest_end.wall
    clip.end = longest_end if clip.capped else wanted_end
    incident.deadlines[Deadline.CLIP] = clip.end if clip.end.boot_id == turn.now.boot_id else turn.now


def cut(incident: Incident, _at: Moment, turn: Turn) -> None:
    """All footage of the event is there: ask for the clip, even when the incident was closed meanwhile."""
    incident.clip.asked = True
    ask_again(incident, turn, only=Media.CLIP)
    turn.keep(incident)


def ask_again(incident: Incident, turn: Turn, only: Media | None = None) -> None:
    """Ask for what was asked for and has not come: the request may have died with the process that had it."""
    still, clip = incident.still, incident.clip
    if only is not Media.CLIP and still.asked and still.status is PieceStatus.PENDING and still.start:
        turn.film(TakeStill(incident.alert_id, still.start))
    if clip.asked and clip.status is PieceStatus.PENDING and clip.start and clip.end:
        turn.film(CutClip(incident.alert_id, clip.start, clip.end))


def settled(incident: Incident) -> bool:
    """Whether no footage is awaited any more."""
    return PieceStatus.PENDING not in {incident.still.status, incident.clip.status}


def ready(incident: Incident, made: MediaReady, turn: Turn) -> None:
    """A piece is stored on the unit: tell it, also after the closing."""
    piece = incident.still if made.media is Media.STILL else incident.clip
    if piece.status is PieceStatus.READY and piece.sha256 == made.sha256:
        turn.note("footage_reported_again", incident, media=made.media)
        return
    piece.status, piece.asked = PieceStatus.READY, True
    piece.start, piece.end = made.start or piece.start, made.end or made.start or piece.end
    piece.sha256, piece.size_bytes, piece.reason = made.sha256, made.size_bytes, None
    turn.tell(incident, made.at)


def failed(incident: Incident, missed: MediaFailed, turn: Turn) -> None:
    """A piece cannot be made: the operator must not wait for it."""
    piece = incident.still if missed.media is Media.STILL else incident.clip
    turn.note("footage_failed", incident, media=missed.media, reason=missed.reason)
    if piece.status in {PieceStatus.READY, PieceStatus.FAILED}:
        return
    piece.status, piece.reason = PieceStatus.FAILED, missed.reason
    turn.tell(incident, missed.at)
