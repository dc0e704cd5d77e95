"""The way from a certificate up to its root, whatever lies about beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.uplink.chain import Chain, name_of

NOW = datetime.now(UTC)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "first", "second", "unit", "other")}


def named(called: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])


def cert(called: str, by: str, *, authority: bool | None = True, days: int = 9) -> x509.Certificate:
    """A certificate; None: it does not say whether it is an authority's."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(called))
        .issuer_name(named(by))
        .public_key(KEYS[called].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=days))
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return builder.sign(KEYS[by], hashes.SHA256())


ROOT, FIRST, SECOND = cert("root", "root"), cert("first", "root"), cert("second", "first")
UNIT, OTHER = cert("unit", "second", authority=False), cert("other", "root")


def test_every_order_makes_the_same_chain_and_nobody_is_shown_the_root_or_what_is_beside_the_way() -> None:
    for delivered in permutations((UNIT, SECOND, FIRST, ROOT, OTHER)):
        chain = Chain.of(delivered)
        assert (chain.own, chain.above, chain.missing) == (UNIT, (SECOND, FIRST, ROOT), None)
        assert x509.load_pem_x509_certificates(chain.shown) == [UNIT, SECOND, FIRST]


def test_a_gap_has_a_name_and_an_authority_from_elsewhere_fills_it() -> None:
    gap = Chain.of([UNIT, FIRST, ROOT])
    assert (gap.above, gap.missing, gap.shown) == ((), "second", UNIT.public_bytes(serialization.Encoding.PEM))
    assert Chain.of([UNIT, FIRST], [SECOND, ROOT]).above == (SECOND, FIRST, ROOT)


def test_of_an_authority_that_was_renewed_with_its_key_the_one_that_is_good_for_longer_is_shown() -> None:
    later = cert("second", "first", days=99)
    for both in ((later, SECOND), (SECOND, later)):
        assert Chain.of([UNIT, *both]).above == (later,)


def test_who_is_no_authority_vouches_for_nobody() -> None:
    played = cert("second", "first", authority=False)
    silent = cert("second", "first", authority=None)
    for above in (played, silent):
        assert Chain.of([UNIT, above, FIRST, ROOT]).missing == "second"


def test_an_old_root_that_does_not_say_what_it_is_is_a_root_and_two_that_vouch_for_each_other_are_none() -> None:
    old = cert("root", "root", authority=None)
    assert Chain.of([UNIT, SECOND, FIRST, old]).missing is None
    ring = [cert("first", "second"), SECOND]
    assert Chain.of([UNIT, *ring]).above == (SECOND, ring[0])
    assert Chain.of([UNIT, *ring]).missing == "second"


def test_who_has_no_common_name_is_called_by_all_of_his_name() -> None:
    assert name_of(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A Force")])) == "O=A Force"
