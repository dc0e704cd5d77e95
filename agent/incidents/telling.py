"""The `data` of an alert revision: everything an operator needs to act on it (standards.md 1.6).

Each revision says the whole state of its incident, so that one that is lost or comes late takes nothing away. The
uplink adds what the unit knows besides: site, camera, path and clock.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from agent.incidents.categories import NATURES, operator_late_s
from agent.incidents.evidence import PieceStatus
from agent.incidents.incident import Phase
from agent.incidents.marks import REAL, code_of
from agent.signals import Category, SensorKind

if TYPE_CHECKING:
    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.incidents.detection import Detection
    from agent.incidents.evidence import Piece, Upload
    from agent.incidents.incident import Closing, Incident

_DETECTORS = {
    SensorKind.BUTTON: "panic button {0.sensor}",
    SensorKind.PHRASE: "phrase {0.label} at {0.sensor}",
    SensorKind.PIR: "movement at {0.sensor}",
    SensorKind.TAMPER: "housing contact {0.sensor}",
    SensorKind.CAMERA: "camera {0.sensor} {0.label}",
    SensorKind.LOUDNESS: "loud noise at {0.sensor}",
    SensorKind.MAINS: "mains supply lost ({0.sensor})",
}
_TITLES = {
    Category.HELP: "Help call",
    Category.INTRUDER: "Intruder",
    Category.TAMPER: "Tamper",
    Category.FAULT: "Fault",
    Category.NOISE: "Noise",
    Category.TEST: "Test alert",
}

HEADLINE_MAX = 200
"""Longer is no line that is read at a glance; the detections say the rest."""


def alert_data(incident: Incident, config: Config, *, armed: bool) -> dict[str, Any]:
    """What the control room is told of an incident as it stands now."""
    nature = NATURES[incident.category]
    confirmed = bool(incident.confirmed_by)
    return {
        "alertId": incident.alert_id,
        "revision": incident.revision,
        "state": incident.phase.value,
        "test": is_test(incident, config),
        **({"testCode": code_of(incident.alert_id, incident.category)} if is_test(incident, config) else {}),
        "category": incident.category.value,
        "silent": is_silent(incident),
        "severity": "Severe" if confirmed else nature.severity,
        "urgency": _urgency(incident),
        "certainty": "Likely" if confirmed else nature.certainty,
        "confirmation": _confirmation(incident, config),
        "headline": headline(incident, config),
        "detections": [_detection(each, incident) for each in incident.detections],
        "armState": "set" if armed else "unset",
        "opened": _utc(incident.opened),
        "restored": incident.restored,
        "grownIn": incident.grown_in,
        "suppressed": incident.suppressed,
        "operator": {
            "late": incident.operator_late,
            "escalated": incident.escalated,
            "ackedAt": _utc(incident.seen),
            "ref": incident.operator_ref,
        },
        "evidence": {
            "preEventS": config.footage.pre_event_s,
            "postEventS": config.footage.post_event_s,
            "snapshot": _still(incident.still),
            "strip": _strip(incident.strip),
            "clip": _clip(incident.clip),
        },
        "outcome": None if incident.closing is None else _outcome(incident.closing),
        "requestedAction": nature.requested_action,
        "ackRequiredByS": operator_late_s(incident.category, config.incidents),
    }


def is_test(incident: Incident, config: Config) -> bool:
    """Whether nobody must be sent because of it."""
    return config.unit.test or incident.category is Category.TEST or incident.mark != REAL


def is_silent(incident: Incident) -> bool:
    """Whether nobody at the scene may learn of the call: an operator must not speak into it."""
    return incident.category is Category.HELP and not incident.loud


def headline(incident: Incident, config: Config) -> str:
    """One line that says where and what."""
    title = _TITLES[incident.category]
    if is_silent(incident):
        title = f"Silent {title.lower()}"
    if incident.confirmed_by:
        title = f"Confirmed {title.lower()}"
    what = incident.text or ", ".join(_in_words(each) for each in incident.detections)
    code = code_of(incident.alert_id, incident.category)
    test = f"TEST {code} - " if is_test(incident, config) else ""
    line = f"{test}{config.unit.name}: {title}: {what}"
    return line if len(line) <= HEADLINE_MAX else f"{line[: HEADLINE_MAX - 3]}..."


def _in_words(detection: Detection) -> str:
    return _DETECTORS[SensorKind(detection.kind)].format(detection)


def _urgency(incident: Incident) -> str:
    if incident.phase is Phase.CLOSED:
        return "Past"
    if incident.confirmed_by or incident.escalated:
        return "Immediate"
    return NATURES[incident.category].urgency


def _confirmation(incident: Incident, config: Config) -> dict[str, Any]:
    if incident.category is Category.HELP:
        level, detectors = "help-call", [each.name for each in incident.detections]
    elif incident.confirmed_by:
        level, detectors = "sequential", list(incident.confirmed_by)
    else:
        level, detectors = "none", []
    return {
        "level": level,
        "windowS": config.incidents.confirm_within_s,
        "detectors": detectors,
        "independent": len({name.rpartition(":")[2] for name in detectors}) > 1,
    }


def _detection(detection: Detection, incident: Incident) -> dict[str, Any]:
    return {
        "detectorId": detection.sensor,
        "kind": detection.kind,
        "label": detection.label,
        "scores": dict(detection.scores),
        "silent": detection.silent or detection.sensor in incident.held,
        "count": detection.count,
        "first": _utc(detection.first),
        "last": _utc(detection.last),
    }


def _still(piece: Piece) -> dict[str, Any]:
    return _piece(piece) | {"takenAt": _utc(piece.start if piece.status is PieceStatus.READY else None)}


def _strip(piece: Piece) -> dict[str, Any]:
    is_there = piece.status is PieceStatus.READY
    return _piece(piece) | {
        "start": _utc(piece.start if is_there else None),
        "end": _utc(piece.end if is_there else None),
    }


def _clip(piece: Piece) -> dict[str, Any]:
    return _piece(piece) | {"start": _utc(piece.start), "end": _utc(piece.end), "capped": piece.capped}


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "status": piece.status.value,
        "sha256": piece.sha256,
        "sizeBytes": piece.size_bytes,
        "reason": piece.reason,
        **({} if piece.upload is None else {"upload": _upload(piece.upload)}),
    }


def _upload(upload: Upload) -> dict[str, Any]:
    if upload.percent is not None:
        return {"status": "running", "host": upload.host, "sentPercent": upload.percent}
    return {
        "status": "done" if upload.confirmed else "failed",
        "host": upload.host,
        "sha256": upload.sha256,
        "confirmed": upload.confirmed,
        "reason": upload.reason,
    }


def _outcome(closing: Closing) -> dict[str, Any]:
    return {"code": closing.outcome.value, "cause": closing.cause, "by": closing.by}


def _utc(moment: Moment | None) -> str | None:
    if moment is None:
        return None
    return moment.wall.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
