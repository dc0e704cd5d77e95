"""Between what the helper processes say and the rooms' own vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.helpers.messages import (
    ClipRequest,
    MediaMade,
    PhraseHeard,
    PhraseSuspected,
    StillRequest,
    StripRequest,
    TamperOver,
    TamperSeen,
)
from agent.signals import (
    Media,
    MediaFailed,
    MediaReady,
    Restored,
    SensorKind,
    Suspected,
    TakeStill,
    TakeStrip,
    Triggered,
)

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.helpers.messages import MediaMissed, OrderDone, OrderRefused, SelfTestBegun, SelfTestEnded
    from agent.signals import Filming

    Sensed = PhraseSuspected | PhraseHeard | TamperSeen | TamperOver | MediaMade | MediaMissed
    """What of a helper's events concerns the rules."""
    Told = Sensed | SelfTestBegun | SelfTestEnded | OrderDone | OrderRefused
    """What of a helper's events concerns the other rooms; the rest is between it and its owner."""


def signal_of(
    event: Sensed, clock: Clock, *, microphone: str, camera: str
) -> Suspected | Triggered | Restored | MediaReady | MediaFailed:
    """What an event means.

    Args:
        event: What a helper said.
        clock: Knows what its monotonic times are in wall time.
        microphone: The configured name under which phrases are reported.
        camera: The configured name under which tamper with its picture is reported.
    """
    match event:
        case PhraseSuspected():
            return Suspected(microphone, event.label, clock.at(event.since_s), event.silent)
        case PhraseHeard():
            return Triggered(
                microphone,
                SensorKind.PHRASE,
                clock.at(event.end_s),
                event.silent,
                event.label,
                {"confidence": event.confidence},
                since=clock.at(event.start_s),
            )
        case TamperSeen():
            return Triggered(camera, SensorKind.CAMERA, clock.at(event.seen_s), label=event.kind, scores=event.scores)
        case TamperOver():
            return Restored(camera, SensorKind.CAMERA, clock.at(event.over_s))
        case MediaMade():
            return MediaReady(
                event.alert_id,
                Media(event.media),
                clock.now(),
                event.path,
                event.sha256,
                event.size_bytes,
                start=event.start,
                end=event.end,
            )
        case _:
            return MediaFailed(event.alert_id, Media(event.media), event.reason, clock.now())


def request_of(action: Filming) -> StillRequest | StripRequest | ClipRequest:
    """What is asked of the recorder."""
    match action:
        case TakeStill():
            return StillRequest(action.alert_id, action.at)
        case TakeStrip():
            return StripRequest(action.alert_id, action.at)
        case _:
            return ClipRequest(action.alert_id, action.start, action.end)
