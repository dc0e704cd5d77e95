"""Between what the helper processes say and the rooms' own vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.helpers.messages import ClipRequest, MediaMade, PhraseHeard, StillRequest, StripRequest
from agent.signals import Media, MediaFailed, MediaReady, SensorKind, TakeStill, TakeStrip, Triggered

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.helpers.messages import MediaMissed
    from agent.signals import Filming


def signal_of(
    event: PhraseHeard | MediaMade | MediaMissed, clock: Clock, microphone: str
) -> Triggered | MediaReady | MediaFailed:
    """What an event means.

    Args:
        event: What a helper said.
        clock: Knows what its monotonic times are in wall time.
        microphone: The configured name under which phrases are reported.
    """
    match event:
        case PhraseHeard():
            at, scores = clock.at(event.end_s), {"confidence": event.confidence}
            return Triggered(microphone, SensorKind.PHRASE, at, event.silent, event.label, scores)
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
