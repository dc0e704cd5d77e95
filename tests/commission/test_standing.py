"""What of a commissioning still holds: a changed sensor is untested, elsewhere all are, another wait is nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.cli.main import main
from agent.commission import seal as seal_of
from agent.commission.parts import fingerprints
from agent.commission.seal import CannotSign, SealBroken, Signer, trust, unseal
from agent.commission.standing import FILE_NAME, State, judge, put, read_standing, withdraw
from agent.config.filming import MaskSettings
from agent.config.hearing import PhraseSettings, VoiceSettings
from fakes.authority import Authority
from tests.incidents.driven_unit import config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.commission.seal import Opened
    from agent.commission.standing import Standing
    from agent.config.settings import Config

SECRET = b"s" * 32
PHRASES = (PhraseSettings(say="help me", label="help-me"),)
UNIT = config(voice=VoiceSettings(enabled=True, phrases=PHRASES))


def standing(now: Config, **result: Any) -> Standing:  # noqa: ANN401 - JSON
    """How it stands with another configuration than that which was proved."""
    proved = {"passed": True, "parts": fingerprints(UNIT, SECRET)} | result
    return judge(now, proved, "hk-001", SECRET)


def changed(section: str, **values: object) -> Config:
    return UNIT.model_copy(update={section: getattr(UNIT, section).model_copy(update=values)})


def with_input(sensor: str, **values: object) -> Config:
    inputs = [each.model_copy(update=values) if each.name == sensor else each for each in UNIT.inputs]
    return UNIT.model_copy(update={"inputs": tuple(inputs)})


def test_what_was_proved_holds() -> None:
    found = standing(UNIT)
    assert (found.state, found.nothing, found.untested) == (State.PASSED, False, frozenset())


def test_the_heartbeat_tells_when_it_was_proved_and_not_by_whom() -> None:
    facts = standing(UNIT, ended="2026-11-22T02:14:07Z", engineer="Jo Bloggs").facts()
    assert facts["at"] == "2026-11-22T02:14:07Z"
    assert "Jo Bloggs" not in json.dumps(facts)


@pytest.mark.parametrize(
    ("now", "untested"),
    [
        (with_input("pir-1", pin=26), {"pir-1"}),
        (with_input("panic-1", active="high"), {"panic-1"}),
        (with_input("panic-1", name="panic-9"), {"panic-9"}),
        (changed("camera", bearing_deg=90.0), {"cam-1"}),
        (changed("camera", masks=(MaskSettings(name="door", points=((0, 0), (1, 0), (1, 1))),)), {"cam-1"}),
        (changed("voice", phrases=(PhraseSettings(say="call for help", label="help-me"),)), {"mic-1"}),
        (changed("voice", device="usb"), {"mic-1"}),
    ],
)
def test_a_changed_sensor_is_untested_and_nothing_else_is(now: Config, untested: set[str]) -> None:
    found = standing(now)
    assert (found.state, found.nothing, found.untested) == (State.PARTLY, False, frozenset(untested))


@pytest.mark.parametrize("now", [changed("lamp", pin=27), changed("uplink", broker="mqtt://elsewhere:1883")])
def test_a_changed_lamp_or_way_is_told_and_makes_no_test_of_a_call(now: Config) -> None:
    found = standing(now)
    assert (found.state, found.nothing, found.untested) == (State.PARTLY, False, frozenset())
    assert len(found.changed) == 1


@pytest.mark.parametrize(
    "now",
    [
        with_input("panic-1", stuck_after_s=30.0),
        changed("incidents", grow_every_s=5.0),
        changed("footage", keep_days=7.0),
        changed("unit", name="Another name", test=False),
        changed("voice", decoys=("help the",)),
        changed("uplink", heartbeat_s=20.0),
    ],
)
def test_waits_retention_and_words_for_people_change_nothing_that_was_proved(now: Config) -> None:
    assert standing(now).state is State.PASSED


@pytest.mark.parametrize("now", [changed("unit", latitude=53.0, longitude=-1.2), changed("unit", location="elsewhere")])
def test_elsewhere_nothing_is_proved(now: Config) -> None:
    found = standing(now)
    assert (found.state, found.nothing) == (State.MOVED, True)


@pytest.mark.parametrize("result", [{"passed": False}, {"passed": 1}, {"parts": None}])
def test_what_was_not_passed_proves_nothing(result: dict[str, Any]) -> None:
    found = standing(UNIT, **result)
    assert (found.state, found.nothing) == (State.INVALID, True)


def test_the_commissioning_of_another_unit_proves_nothing() -> None:
    proved = {"passed": True, "parts": fingerprints(UNIT, SECRET)}
    assert judge(UNIT, proved, "hk-002", SECRET).state is State.INVALID


def test_a_fingerprint_does_not_give_away_the_words_of_a_phrase() -> None:
    assert fingerprints(UNIT, SECRET) != fingerprints(UNIT, b"t" * 32)


# --- on the disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def sealed(authority: Authority) -> bytes:
    files = authority.issue_client("hk-001")
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    result = {"passed": True, "parts": fingerprints(UNIT, SECRET), "unit": {"id": "hk-001"}, "ended": ended}
    return Signer.load(files.key_file, files.cert_file).seal(result)


def stored(folder: Path) -> Config:
    return UNIT.model_copy(update={"state_folder": folder})


def test_a_signed_commissioning_holds_until_it_is_withdrawn(tmp_path: Path, sealed: bytes) -> None:
    put(tmp_path, sealed, SECRET)
    assert read_standing(stored(tmp_path)).state is State.PASSED
    assert withdraw(tmp_path)
    assert read_standing(stored(tmp_path)).state is State.NONE
    assert not withdraw(tmp_path)


def test_a_tampered_commissioning_proves_nothing(tmp_path: Path, sealed: bytes) -> None:
    put(tmp_path, sealed, SECRET)
    kept = json.loads((tmp_path / FILE_NAME).read_bytes())
    kept["sealed"]["result"]["parts"]["sensor:pir-1"] = "0"
    (tmp_path / FILE_NAME).write_text(json.dumps(kept))
    assert read_standing(stored(tmp_path)).state is State.INVALID


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"sealed": 1, "secret": "zz"}', b"\xff\xfe", b"[" * 9999]
)
def test_what_is_no_commissioning_proves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_standing(stored(tmp_path)).state is State.INVALID


def test_a_disk_that_fails_makes_no_test_of_a_call(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    found = read_standing(stored(tmp_path))
    assert (found.state, found.nothing) == (State.UNREADABLE, False)


# --- checked elsewhere -----------------------------------------------------------------------------------------------


def test_the_signature_holds_for_whoever_has_the_authority(authority: Authority, sealed: bytes) -> None:
    opened = unseal(sealed)
    assert opened.signer == "hk-001"
    trust(opened, authority.ca_file.read_bytes())


def test_an_authority_of_somebody_else_vouches_for_nothing(tmp_path: Path, sealed: bytes) -> None:
    other = Authority(tmp_path / "other", "other")
    with pytest.raises(SealBroken, match="no authority"):
        trust(unseal(sealed), other.ca_file.read_bytes())


def signed_by(authority: Authority, *, unit_since: datetime, unit_until: datetime, at: str | None) -> Opened:
    files = authority.issue_client("hk-001", (unit_since, unit_until))
    result = {"passed": True} if at is None else {"passed": True, "ended": at}
    return unseal(Signer.load(files.key_file, files.cert_file).seal(result))


JUNE, JULY, LONG = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), timedelta(days=4000)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-06-15T12:00:00+00:00", True),
        ("2026-05-31T23:59:59+00:00", False),
        ("2026-07-01T00:00:01+00:00", False),
        ("2026-06-15T12:00:00", False),
        ("in June", False),
        (None, False),
    ],
)
def test_a_certificate_vouches_only_for_what_was_signed_while_it_was_valid(
    tmp_path: Path, at: str | None, *, holds: bool
) -> None:
    authority = Authority(tmp_path / "ca", "ashfield", (JUNE - LONG, JULY + LONG))
    opened = signed_by(authority, unit_since=JUNE, unit_until=JULY, at=at)
    if holds:
        trust(opened, authority.ca_file.read_bytes())
        return
    with pytest.raises(SealBroken, match=r"of CN=hk-001 holds from 2026-06-01|does not say"):
        trust(opened, authority.ca_file.read_bytes())


@pytest.mark.parametrize("at", ["2026-05-31T23:59:59+00:00", "2026-07-01T00:00:01+00:00"])
def test_an_authority_vouches_only_while_it_is_valid_itself(tmp_path: Path, at: str) -> None:
    authority = Authority(tmp_path / "ca", "ashfield", (JUNE, JULY))
    opened = signed_by(authority, unit_since=JUNE - LONG, unit_until=JULY + LONG, at=at)
    with pytest.raises(SealBroken, match="holds from 2026-06-01"):
        trust(opened, authority.ca_file.read_bytes())


def test_nobody_vouches_with_a_certificate_that_is_no_authoritys(authority: Authority, sealed: bytes) -> None:
    other = authority.issue_client("hk-002")
    with pytest.raises(SealBroken, match="no authority"):
        trust(unseal(sealed), other.cert_file.read_bytes())


@pytest.mark.parametrize("key", ["passed", "parts", "ended"])
def test_a_tampered_result_is_refused(sealed: bytes, key: str) -> None:
    document = json.loads(sealed)
    document["result"][key] = "other"
    with pytest.raises(SealBroken, match="changed since it was signed"):
        unseal(json.dumps(document).encode())


def test_the_signature_of_one_format_is_none_of_another(sealed: bytes) -> None:
    document = json.loads(sealed)
    document["format"] = "safepoint-commissioning/2"
    with pytest.raises(SealBroken, match="format"):
        unseal(json.dumps(document).encode())


def test_a_key_signs_only_with_its_own_certificate(authority: Authority) -> None:
    one, other = authority.issue_client("hk-001"), authority.issue_client("hk-002")
    with pytest.raises(CannotSign, match="not the elliptic-curve key"):
        Signer.load(one.key_file, other.cert_file)


def test_a_key_that_is_kept_elsewhere_signs_through_openssl(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = authority.issue_client("hk-001")
    monkeypatch.setattr(seal_of, "HELD", b"PRIVATE KEY")  # as of a TPM, whose provider OpenSSL knows
    sealed = Signer.load(files.key_file, files.cert_file).seal({"passed": True})
    assert unseal(sealed).result == {"passed": True}
    files.key_file.write_text("-----BEGIN TSS2 PRIVATE KEY-----\nnone\n-----END TSS2 PRIVATE KEY-----\n")
    with pytest.raises(CannotSign, match="nothing can be signed"):
        Signer.load(files.key_file, files.cert_file)


WHOLE = {
    "unit": {"id": "hk-001"},
    "passed": True,
    "ended": JUNE.isoformat(),
    "engineer": "A. Smith",
    "countersigned": {"operatorRef": "op-7"},
}


def verified(authority: Authority, file: Path, result: object, *options: str) -> int:
    """What `safepoint commission verify` ends with for a result that the unit hk-001 signed."""
    files = authority.issue_client("hk-001")
    file.write_bytes(Signer.load(files.key_file, files.cert_file).seal(cast("dict[str, Any]", result)))
    return main(["commission", "verify", str(file), *options])


def test_verify_says_whose_signature_holds(
    tmp_path: Path, authority: Authority, sealed: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    now = {"ended": datetime.now(UTC).isoformat()}
    assert verified(authority, file, WHOLE | now, "--ca", str(authority.ca_file)) == 0
    told = capsys.readouterr().out
    assert "the signature of hk-001 holds" in told
    assert "control room  op-7" in told
    file.write_bytes(sealed.replace(b'"passed": true', b'"passed": false'))
    assert main(["commission", "verify", str(file)]) == 2
    assert "does not hold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("differently", "said"),
    [({"passed": False}, "NOT PASSED"), ({"countersigned": None}, "NOT COUNTERSIGNED")],
)
def test_verify_ends_well_only_for_a_unit_that_passed_and_that_the_control_room_vouches_for(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str], differently: dict[str, object], said: str
) -> None:
    assert verified(authority, tmp_path / "result.json", WHOLE | differently) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": None},
        {"unit": "hk-001"},
        {"unit": {"id": "hk-002"}},
        {"passed": "yes"},
        {"ended": 5},
        {"engineer": ["A"]},
        {"countersigned": "op-7"},
        {"countersigned": {"operatorRef": ""}},
    ],
)
def test_verify_has_one_sentence_for_whatever_a_unit_signed(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str], wrong: dict[str, object]
) -> None:
    file = tmp_path / "result.json"
    assert verified(authority, file, WHOLE | wrong) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"safepoint: {file} does not hold: it ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("content", [b"[]", b"null", b"{}", b"[" * 100_000, b"\xff", b'{"format": "x", "result": {}}'])
def test_verify_has_one_sentence_for_whatever_is_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(content)
    assert main(["commission", "verify", str(file)]) == 2
    assert "does not hold: it is no signed commissioning result" in capsys.readouterr().err


def test_what_a_unit_signed_paints_no_line_of_its_own(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    painted = WHOLE | {"passed": False, "engineer": "\x1b[2J\nresult        PASSED"}
    assert verified(authority, tmp_path / "result.json", painted) == 1
    told = capsys.readouterr().out
    assert "\nresult        PASSED" not in told
    assert "\x1b" not in told
