"""One-time tokens: what people type, and what a proof proves."""

from __future__ import annotations

import base64
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enrolment import TOKEN_BYTES, Purpose, Token, TokenUnreadable, proves

SECRETS = st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES)
KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
OTHER = ec.generate_private_key(ec.SECP256R1()).public_key()


@given(SECRETS)
@settings(max_examples=50, deadline=None)
def test_a_token_is_read_as_it_was_written_and_as_people_write_it(secret: bytes) -> None:
    text = str(Token(secret))
    assert len(text) == 29
    for typed in (text, text.lower(), text.replace("-", " "), f" {text}\n", text.replace("0", "o").replace("1", "L")):
        assert Token.read(typed).public_half == Token(secret).public_half


@given(SECRETS, st.integers(0, 24), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
@settings(max_examples=100, deadline=None)
def test_one_wrong_character_is_told_on_the_unit_and_not_at_the_office(secret: bytes, place: int, typed: str) -> None:
    text = str(Token(secret)).replace("-", "")
    if text[place] != typed:
        with pytest.raises(TokenUnreadable, match="is mistyped"):
            Token.read(text[:place] + typed + text[place + 1 :])


@pytest.mark.parametrize("typed", ["", "XXXXX", "U" * 25, "A" * 24, "A" * 26, "Ä" * 25, "$" * 25])
def test_what_is_no_token_is_one_sentence(typed: str) -> None:
    with pytest.raises(TokenUnreadable, match="must be 25 letters and digits"):
        Token.read(typed)


def test_a_proof_is_good_for_one_token_purpose_name_and_key_only() -> None:
    token, another = Token.new(), Token.new()
    proof = token.proof(Purpose.MQTT, "hk-001", KEY)
    assert len(proof) == 88, "a challengePassword has 255 characters at most"
    tried = list(product((token, another), Purpose, ("hk-001", "hk-002"), (KEY, OTHER)))
    good = [each for each in tried if proves(proof, each[0].public_half, *each[1:])]
    assert good == [(token, Purpose.MQTT, "hk-001", KEY)]
    for nonsense in ("", "AAAA", proof[:-4], proof + "AAAA", base64.b64encode(bytes(64)).decode(), "ä"):
        assert not proves(nonsense, token.public_half, Purpose.MQTT, "hk-001", KEY)


def test_a_token_is_not_shown_by_accident() -> None:
    token = Token.new()
    assert str(token) not in repr(token)
    assert str(token).replace("-", "") not in repr(token)
