"""What is built, what is published as schema and what AsyncAPI says are one contract."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agent.clock import ClockQuality, Moment
from agent.clock_floor import Source
from agent.commands.chain import Chain
from agent.helpers.last_rung import Stay
from agent.life import Life
from agent.signals import AckLevel, Category, Media, Outcome, Tell, Why
from agent.uplink import messages, topics
from agent.uplink.messages import Answer, CommandName, Kind, Message, State
from agent.uplink.publication import CONTENT_TYPE
from agent.uplink.still import JPEG
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import MessageInvalid, check, load_schemas, parse
from agent.voice.liveness import Cost, Heard, Liveness
from tests.incidents.driven_unit import Unit, of
from tests.uplink.lab import LabClock, closing, make_config, tell

NOW = LabClock().now()
UNIT = make_config().unit
TOPICS = UnitTopics("street", "unit-a")
INTERVAL = {"from": "2026-11-22T02:14:00.000Z", "to": "2026-11-22T02:14:30.000Z"}
ARGS: dict[CommandName, dict[str, Any]] = {
    CommandName.STILL: {"at": "2026-11-22T02:14:00.000Z"},
    CommandName.CLIP: INTERVAL,
    CommandName.FOOTAGE_HOLD: {**INTERVAL, "ref": "NOTTS/26/1", "reason": "asked for"},
    CommandName.FOOTAGE_RELEASE: {"ref": "NOTTS/26/1", "reason": "copied"},
    CommandName.LIGHT: {"forS": 60},
    CommandName.ANNOUNCE: {"message": "help-is-coming"},
    CommandName.QUIET_CAUSE: {"cause": "input panic-1:stuck", "forS": 3600},
    CommandName.UPLOAD: {"file": "incidents/cmd-1/still.jpg", "url": "https://example.org/1", "headers": {"X-A": "b"}},
    CommandName.RESTART_PART: {"part": "recorder"},
}
"""One good set of arguments for each command that has any."""
FACTS = {
    "state": "ok",
    "uptimeS": 12.5,
    "intervalS": 25,
    "sw": "1.0",
    "arm": "set",
    "faults": [{"part": "recorder", "code": "dead", "text": "The recorder is dead."}],
    "outbox": {"pending": 0, "oldestAgeS": 0.0, "capacity": 1000},
    "helpers": {
        "recorder": {
            "state": "working",
            "starts": 2,
            "done": 150,
            "lost": 1,
            "silentS": 0.8,
            "ladder": {"pipeline": 3, "process": 1, "reboot": 0, "unkillable": 0},
        }
    },
    "footage": {"keptDays": 12.5, "oldest": "2026-11-11T10:00:00.000Z", "heldMb": 40, "fullInDays": None},
    "life": Life("boot-1", 12.0, "01KB5", 3, None).facts(),
    "certificate": {
        "active": "a",
        "acceptedAs": None,
        "renewal": "waiting",
        "expires": "2027-11-22T00:00:00.000Z",
        "daysLeft": 364,
        "judgedBy": "last-known",
        "judgedAt": "2026-11-22T02:00:00.000Z",
        "exact": False,
    },
    "commands": {"running": 1, "unwritten": 0, "lost": 0},
    "quiet": [{"cause": "pir-1", "until": "2026-11-22T03:00:00.000Z", "by": "op-1", "heldBack": 3}],
    "recovery": {"reboots": 0, "inVain": 0, "reboot": "works"},
    "update": {
        "slot": "a",
        "last": {
            "result": "taken-back",
            "bundle": "safepoint-1.3.0.update",
            "version": "1.3.0",
            "text": "it was not armed within 45 s; version 1.2.0 is in use",
            "at": "2026-11-22T01:00:00Z",
        },
        "waits": {"version": "1.3.1", "since": "2026-11-22T01:30:00Z", "why": "a call is open"},
        "trial": "1.3.1",
        "unfetched": {"since": "2026-11-22T01:30:00Z", "why": "the server answered 500", "bad": False},
        "unusable": {"since": "2026-11-22T01:30:00Z", "why": "no key"},
    },
    "mics": [{"id": "mic-1", "ageS": 4.2, "blocksPerS": 10.0, "blocksLost": 0, "levelDbfs": -41.5}],
}


def _alert(category: Category = Category.HELP, **data: object) -> Message:
    return messages.alert(
        make_config(),
        tell("inc-1", 3, NOW, category, **data),
        sequence=18342,
        recorded=NOW.later(0.5),
        attempt=2,
        late=True,
    )


def _one_of_each() -> list[Message]:
    command = messages.command(TOPICS, "desk", NOW.wall, CommandName.SET, operator_ref="op-1")
    return [
        *[_alert(category) for category in Category],
        messages.heartbeat(UNIT, NOW, FACTS),
        *[messages.status(UNIT, NOW, state, software="1.0", skipped=[(4, 9)]) for state in State],
        messages.status(UNIT, NOW, State.ONLINE, software="1.0", life=Life("boot-1", 12.0), last_sequence=18342),
        messages.acknowledgement(TOPICS, "desk", NOW.wall, alert_id="inc-1", revision=3, level=AckLevel.RECEIVER),
        closing(TOPICS, NOW.wall, "op-1", Outcome.FALSE, "a child"),
        *[
            messages.command(TOPICS, "desk", NOW.wall, name, operator_ref="op-1", args=ARGS.get(name))
            for name in CommandName
        ],
        messages.audit(UNIT, Chain("01J").add({"what": "began", "at": "2026-11-22T02:14:07.412Z"}), NOW.wall),
        messages.response(
            UNIT,
            NOW,
            to=TOPICS.response("desk"),
            correlation_data=b"x",
            command_id=command.document["id"],
            name="set",
            answer=Answer.REFUSED,
            code="expired",
            detail="too late",
        ),
    ]


@pytest.mark.parametrize("message", _one_of_each(), ids=lambda message: message.document["type"])
def test_every_message_that_is_built_keeps_its_schema(message: Message) -> None:
    assert parse(message.kind, message.publication().payload) == message.document


@pytest.mark.parametrize("message", _one_of_each(), ids=lambda message: message.document["type"])
def test_a_message_without_one_of_its_required_members_is_invalid(message: Message) -> None:
    for name in ("specversion", "id", "source", "type", "time", "data"):
        with pytest.raises(MessageInvalid, match=name):
            check(message.kind, {key: value for key, value in message.document.items() if key != name})


def test_an_alert_says_where_when_and_how_it_comes() -> None:
    document = _alert().document
    assert document["id"] == "inc-1-r3"
    assert document["source"] == "/safepoint/street/units/unit-a"
    assert document["type"] == "org.safepoint.alert.help.v1"
    assert document["time"] == "2026-11-22T02:14:07.412Z"
    assert document["recordedtime"] == "2026-11-22T02:14:07.912Z"
    assert document["sequence"] == "00000000000000018342"
    data = document["data"]
    assert data["path"] == {"used": "primary", "attempt": 2, "late": True}
    assert data["clock"] == {"quality": "synced", "bootId": "boot-1", "monotonicS": 1000.0}
    assert data["site"]["plainLocation"] == "North end of Central Walk"
    assert data["camera"] is None


def test_the_same_revision_is_the_same_event_however_often_it_is_sent() -> None:
    assert _alert().document["id"] == _alert().document["id"]


def test_times_of_other_zones_are_told_in_utc() -> None:
    summer = datetime.fromisoformat("2026-07-01T03:00:00.5+01:00")
    ack = messages.acknowledgement(TOPICS, "desk", summer, alert_id="a", revision=1, level=AckLevel.RECEIVER)
    assert ack.document["time"] == "2026-07-01T02:00:00.500Z"


def test_help_calls_never_expire_and_everything_else_does() -> None:
    assert _alert(Category.HELP).expiry_s is None
    assert {_alert(category).expiry_s for category in Category if category is not Category.HELP} == {86_400}


def test_only_status_and_heartbeat_are_retained() -> None:
    assert {message.kind for message in _one_of_each() if message.retain} == {Kind.STATUS, Kind.HEARTBEAT}


def test_how_an_alert_stands_is_retained_for_a_week_and_deleted_when_it_is_closed() -> None:
    alert = _alert(Category.HELP)
    kept = messages.standing(UNIT, alert)
    assert kept.retain
    assert kept.expiry_s == 7 * 86_400
    assert json.loads(kept.payload) == alert.document
    deleted = messages.cleared(UNIT, alert.document["data"]["alertId"])
    assert (deleted.topic, deleted.payload, deleted.retain) == (kept.topic, b"", True)


@settings(deadline=None)  # a busy machine is not a failure
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.sets(st.text())
        ),
        max_leaves=10,
    )
)
def test_whatever_a_sensor_reports_the_call_can_be_sent(oddity: object) -> None:
    message = _alert(scores=oddity)
    assert json.loads(message.publication().payload)["data"]["alertId"] == "inc-1"


def test_a_number_that_json_does_not_know_becomes_null() -> None:
    assert _alert(scores={"confidence": math.nan}).document["data"]["scores"] == {"confidence": None}


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"a": NaN}', "NaN"),
        (b"{}", "the top lacks specversion"),
    ],
)
def test_what_is_no_message_is_refused_with_one_sentence(payload: bytes, words: str) -> None:
    with pytest.raises(MessageInvalid, match=words) as refusal:
        parse(Kind.ACK, payload)
    assert len(str(refusal.value)) < 300


def test_the_footage_of_an_alert_keeps_its_schema_at_every_step_of_its_making() -> None:
    unit = Unit()
    unit.open_door(0)
    unit.film(1, Media.STILL)
    unit.film(3, Media.STRIP)
    unit.wait(30)
    unit.film(31, Media.CLIP)
    unit.open_door(40)
    unit.wait(70)
    unit.miss(71, Media.CLIP)
    stood = []
    for each in of(Tell, unit.done):
        message = messages.alert(unit.settings, each, sequence=1, recorded=NOW, attempt=1, late=False)
        evidence = parse(Kind.ALERT, message.publication().payload)["data"]["evidence"]
        stood.append(tuple(evidence[name]["status"] for name in ("snapshot", "strip", "clip")))
    assert stood == [
        ("pending", "pending", "pending"),
        ("ready", "pending", "pending"),
        ("ready", "ready", "pending"),
        ("ready", "ready", "ready"),
        ("ready", "ready", "pending"),
        ("ready", "ready", "ready"),
    ]


@pytest.mark.parametrize("piece", [{"status": "nearly"}, {}, {"status": "ready", "start": "noon"}])
def test_a_strip_that_stands_in_no_known_way_is_invalid(piece: dict[str, str]) -> None:
    message = _alert(evidence={"strip": piece})
    with pytest.raises(MessageInvalid, match="strip"):
        check(message.kind, message.document)


def test_closing_needs_an_outcome() -> None:
    ack = messages.acknowledgement(TOPICS, "desk", NOW.wall, alert_id="inc-1", revision=1, level=AckLevel.CLOSED)
    with pytest.raises(MessageInvalid, match="outcome"):
        check(ack.kind, ack.document)


@pytest.mark.parametrize("ref", [None, "", "  "])
def test_nobody_has_seen_an_alert_without_saying_who_they_are(ref: str | None) -> None:
    ack = messages.acknowledgement(
        TOPICS, "desk", NOW.wall, alert_id="inc-1", revision=1, level=AckLevel.OPERATOR, operator_ref=ref
    )
    with pytest.raises(MessageInvalid, match="operatorRef"):
        check(ack.kind, ack.document)


def test_a_command_with_arguments_it_does_not_know_is_invalid() -> None:
    command = messages.command(TOPICS, "desk", NOW.wall, CommandName.SET, operator_ref="op-1").document
    command["data"]["args"] = {"for": "ever"}
    with pytest.raises(MessageInvalid):
        check(Kind.COMMAND, command)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("helpers", []),
        ("helpers", {"recorder": {"state": "asleep"}}),
        ("helpers", {"recorder": {"silentS": -1}}),
        ("helpers", {"recorder": {"ladder": {"pipeline": 1, "process": 0}}}),
        ("helpers", {"recorder": {"ladder": {"pipeline": 1.5, "process": 0, "reboot": 0, "unkillable": 0}}}),
        ("footage", {"keptDays": True}),
        ("footage", {"days": {"kept": 1}}),
        ("recovery", {"reboots": 1, "inVain": 0, "reboot": "perhaps"}),
        ("recovery", {"reboots": 1}),
        ("life", {"installation": "01KB5", "number": 3, "board": None}),
        ("life", {"installation": "01KB5", "number": 0, "board": None, "startedS": 1.0}),
        ("certificate", {"active": "c", "acceptedAs": None, "renewal": "none"}),
        ("certificate", {"active": "a", "acceptedAs": None, "renewal": "none", "judgedBy": "hope"}),
        ("mics", [{"ageS": 1}]),
        ("commands", {"running": 1}),
        ("quiet", [{"cause": "pir-1"}]),
        ("mics", [{"id": "mic-1", "ageS": 1, "recognisedShare": 1.5}]),
        ("update", {"slot": "c"}),
        ("update", {"last": {"result": "won", "bundle": "x", "text": "", "at": "2026-11-22T01:00:00Z"}}),
        ("update", {"last": {"result": "taken", "bundle": "x", "text": ""}}),
        ("update", {"waits": {"since": "2026-11-22T01:00:00Z", "why": "a call is open"}}),
        ("update", {"trial": "seven"}),
        ("update", {"unusable": "no key"}),
    ],
)
def test_what_a_heartbeat_says_of_the_helpers_is_typed(member: str, value: object) -> None:
    with pytest.raises(MessageInvalid, match=member):
        check(Kind.HEARTBEAT, messages.heartbeat(UNIT, NOW, {**FACTS, member: value}).document)


def test_a_unit_without_camera_and_microphone_says_nothing_of_them() -> None:
    without = {name: value for name, value in FACTS.items() if name not in {"helpers", "footage", "recovery", "mics"}}
    check(Kind.HEARTBEAT, messages.heartbeat(UNIT, NOW, without).document)


def test_every_figure_of_the_hearing_is_in_the_schema() -> None:
    liveness = Liveness(Cost(0.0, 0.0))
    liveness.heard(Heard(1.0, 0, -40.0, 0.1))
    told = {"id": "mic-1", "ageS": 0.5, **liveness.facts(Cost(0.01, 55.0), 12.0)}
    data = dict(load_schemas())["heartbeat.json"]["properties"]["data"]["properties"]
    assert {*told} <= {*data["mics"]["items"]["properties"]}
    check(Kind.HEARTBEAT, messages.heartbeat(UNIT, NOW, {**FACTS, "mics": [told]}).document)


def test_every_reason_against_a_restart_can_be_told() -> None:
    data = dict(load_schemas())["heartbeat.json"]["properties"]["data"]["properties"]
    assert {*data["recovery"]["properties"]["reboot"]["enum"]} == {*Stay, "asked"}


def test_every_way_to_know_the_time_can_be_told() -> None:
    data = dict(load_schemas())["heartbeat.json"]["properties"]["data"]["properties"]
    assert {*data["certificate"]["properties"]["judgedBy"]["enum"]} == {*Source}


def test_every_reason_for_a_refusal_can_be_told_and_every_answer_given() -> None:
    data = dict(load_schemas())["response.json"]["properties"]["data"]["properties"]
    assert data["code"]["enum"] == [*Why, None]
    assert data["status"]["enum"] == [*Answer]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        (CommandName.LIGHT, {}),
        (CommandName.LIGHT, {"forS": 901}),
        (CommandName.LIGHT, {"forS": -1}),
        (CommandName.LIGHT, {"forS": "60"}),
        (CommandName.ANNOUNCE, {"message": "../../etc/passwd"}),
        (CommandName.CLIP, {"from": "yesterday", "to": "today"}),
        (CommandName.FOOTAGE_HOLD, {**INTERVAL, "ref": "", "reason": "x"}),
        (CommandName.UPLOAD, {"file": "incidents/../../etc/passwd", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports/../unit.yaml", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports/a/../../unit.yaml", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports/a/b/c.zip", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports//etc/passwd", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports/.hidden", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "exports/", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "/exports/a.zip", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "segments/1.ts", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "incidents/clip.mp4", "url": "https://example.org"}),
        (CommandName.UPLOAD, {"file": "incidents/a/clip.mp4", "url": "http://example.org"}),
        (CommandName.UPLOAD, {**ARGS[CommandName.UPLOAD], "headers": {"A": "b\r\nHost: c"}}),
        (CommandName.RESTART_PART, {"part": "daemon"}),
        (CommandName.QUIET_CAUSE, {"cause": "pir-1", "forS": 86_401}),
        (CommandName.SELF_TEST, {"loud": True}),
    ],
)
def test_arguments_outside_a_commands_schema_are_invalid(name: CommandName, args: dict[str, Any]) -> None:
    command = messages.command(TOPICS, "desk", NOW.wall, name, operator_ref="op-1", args=args)
    with pytest.raises(MessageInvalid, match="args"):
        check(Kind.COMMAND, command.document)


@pytest.mark.parametrize("file", ["exports/2026-11-24.zip", "exports/case-7/clip.mp4", "incidents/a/clip.mp4"])
def test_an_export_can_be_named_like_the_footage_of_an_incident(file: str) -> None:
    args = {"file": file, "url": "https://example.org"}
    command = messages.command(TOPICS, "desk", NOW.wall, CommandName.UPLOAD, operator_ref="op-1", args=args)
    check(Kind.COMMAND, command.document)


def test_a_heartbeat_of_an_unsynced_clock_says_so() -> None:
    lost = Moment(1.0, NOW.wall, "boot-1", ClockQuality.UNSYNCED)
    data = messages.heartbeat(UNIT, lost, FACTS).document["data"]
    assert data["clock"] == {"quality": "unsynced", "synced": False}


# --- the published description ---------------------------------------------------------------------------------------


def _asyncapi() -> dict[str, Any]:
    text = (resources.files("agent.uplink") / "asyncapi.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _resolve(document: dict[str, Any], reference: str) -> Any:  # noqa: ANN401 - whatever is there
    found: Any = document
    for step in filter(None, reference.removeprefix("#/").split("/")):
        found = found[step]
    return found


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [reference for value in part.values() for reference in _references(value)]
    if isinstance(part, list):
        return [reference for value in part for reference in _references(value)]
    return []


def _beside_references(part: object) -> list[str]:
    """Keywords that stand beside a reference, but for words to people."""
    if isinstance(part, dict):
        own = [key for key in part if key not in {"$ref", "description", "title"}] if "$ref" in part else []
        return own + [key for value in part.values() for key in _beside_references(value)]
    if isinstance(part, list):
        return [key for value in part for key in _beside_references(value)]
    return []


def test_every_schema_is_a_schema() -> None:
    schemas = dict(load_schemas())
    commands = {f"command-{name}.json" for name in CommandName}
    assert set(schemas) == {"cloudevent.json", *commands, *(f"{kind}.json" for kind in Kind)}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    document = _asyncapi()
    schemas = dict(load_schemas())
    for reference in _references(document):
        if reference.startswith("#"):
            assert _resolve(document, reference) is not None
        else:
            assert reference.removeprefix("./schemas/") in schemas


def test_schemas_refer_to_each_other_by_file_so_that_foreign_tools_can_read_them() -> None:
    schemas = dict(load_schemas())
    for name, schema in schemas.items():
        assert schema["$id"] == f"https://safepoint.invalid/schema/1/{name}"
        for reference in _references(schema):
            file, _, pointer = reference.partition("#")
            assert _resolve(schemas[file or name], pointer.removeprefix("/")) is not None
        # AsyncAPI reads schemas as draft 7, where nothing beside a $ref counts.
        assert not _beside_references(schema), name


def test_asyncapi_names_exactly_our_topics_and_categories() -> None:
    channels = _asyncapi()["channels"]
    everyone = UnitTopics("{org}", "{unit}")
    assert {name: channel["address"] for name, channel in channels.items()} == {
        "status": everyone.status,
        "heartbeat": everyone.heartbeat,
        "alert": f"{everyone.prefix}/alert/{{category}}",
        "incident": everyone.incident("{alertId}"),
        "still": everyone.still("{alertId}", "{name}"),
        "ack": everyone.ack,
        "command": everyone.command("{console}", "{name}"),
        "response": everyone.response("{console}"),
        "audit": everyone.audit,
    }
    assert channels["alert"]["parameters"]["category"]["enum"] == list(Category)
    assert channels["command"]["parameters"]["name"]["enum"] == list(CommandName)
    for channel in channels.values():
        assert set(channel["parameters"]) == set(re.findall(r"{(\w+)}", channel["address"]))


def test_asyncapi_says_how_each_message_really_is_published() -> None:
    document = _asyncapi()
    said = {
        _resolve(document, operation["channel"]["$ref"])["address"].split("/")[4]: operation["bindings"]["mqtt"]
        for operation in document["operations"].values()
    }
    for message in _one_of_each():
        binding = said[message.topic.split("/")[4]]
        assert binding["retain"] == message.retain
        if message.document["type"] != "org.safepoint.alert.help.v1":
            assert binding.get("messageExpiryInterval") == message.expiry_s
        assert binding["qos"] == 1


def test_asyncapi_gives_each_channel_its_own_schema_and_our_content_type() -> None:
    document = _asyncapi()
    assert document["defaultContentType"] == CONTENT_TYPE
    for name, message in document["components"]["messages"].items():
        if name == "still":
            assert message["contentType"] == JPEG
            assert message["headers"] == {"$ref": "./schemas/still.json"}
        else:
            assert message == {"contentType": CONTENT_TYPE, "payload": {"$ref": f"./schemas/{name}.json"}}
    for name, channel in document["channels"].items():
        said = "alert" if name == "incident" else name
        assert channel["messages"] == {said: {"$ref": f"#/components/messages/{said}"}}


# --- topics ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "named"),
    [
        ("safepoint/v1/street/unit-a/cmd/desk-7/set", ("desk-7", "set")),
        ("safepoint/v1/street/unit-a/cmd/set", None),
        ("safepoint/v1/street/unit-a/cmd/desk-7/set/more", None),
        ("safepoint/v1/street/unit-a/cmd/desk-7/", None),
        ("safepoint/v1/street/unit-a/cmd//set", None),
        ("safepoint/v1/street/unit-a/cmd/+/set", None),
        ("safepoint/v1/street/unit-a/cmd/desk-7/+", None),
        ("safepoint/v1/street/unit-b/cmd/desk-7/set", None),
        ("safepoint/v1/street/unit-a/ack", None),
    ],
)
def test_console_and_command_are_exactly_two_levels_below_the_units_own_topic(
    topic: str, named: tuple[str, str] | None
) -> None:
    assert TOPICS.commanded(topic) == named


def test_a_command_expires_when_its_message_does() -> None:
    command = messages.command(TOPICS, "desk", NOW.wall, CommandName.SET, operator_ref="op-1")
    expires = datetime.fromisoformat(command.document["expirytime"])
    assert expires - NOW.wall == timedelta(seconds=topics.COMMAND_EXPIRY_S)
    assert expires.tzinfo == UTC
