"""RFC 8188 and RFC 8291: the vectors, what must fail, padding and limits, other people's decoder."""

from __future__ import annotations

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.unit.webpush.helpers import BROWSER, VECTORS, b64, unb64

from pushkit.webpush import DecryptionError, decrypt, encrypt
from pushkit.webpush.encryption import Receiver, open_aes128gcm, pad, public_key, seal_with

A = VECTORS["rfc8291_appendix_a"]
DERIVED = VECTORS["derived"]


def private(scalar: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unb64(scalar), "big"), ec.SECP256R1())


def by_name(case):
    return case["name"]


def test_appendix_a_is_reproduced_byte_for_byte():
    """RFC 8291 appendix A: given its keys and salt, the body is the RFC's."""
    receiver = Receiver(unb64(A["ua_public"]), unb64(A["auth_secret"]))

    body = seal_with(pad(unb64(A["plaintext"])), receiver, private(A["as_private"]), unb64(A["salt"]))

    assert A["body"] == b64(body)
    assert A["content_length"] == len(body)


def test_appendix_a_is_decrypted():
    """RFC 8291 appendix A: the browser's side reads the RFC's body."""
    assert A["plaintext_utf8"].encode() == decrypt(unb64(A["body"]), A["ua_private"], A["auth_secret"])


def test_appendix_a_keys_belong_together():
    """The public keys of appendix A are those of its private keys, so the vector tests what it says."""
    for private_name, public_name in (("as_private", "as_public"), ("ua_private", "ua_public")):
        point = private(A[private_name]).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

        assert A[public_name] == b64(point)


@pytest.mark.parametrize("example", VECTORS["rfc8188"]["examples"], ids=by_name)
def test_rfc8188_examples_are_decoded(example):
    """RFC 8188 section 3: single and multiple records."""
    assert example["plaintext_utf8"].encode() == open_aes128gcm(unb64(example["body"]), unb64(example["ikm"]))


@pytest.mark.parametrize("case", DERIVED["cases"], ids=by_name)
def test_derived_cases_are_reproduced(case):
    """Empty, UTF-8, padded, trailing zeros, the largest plaintext and the full body, byte for byte."""
    receiver = Receiver(unb64(A["ua_public"]), unb64(A["auth_secret"]))
    plaintext = unb64(case["plaintext"])

    record = pad(plaintext, len(plaintext) + case["padding_octets"])
    body = seal_with(record, receiver, private(A["as_private"]), unb64(case["salt"]))

    assert case["body"] == b64(body)
    assert case["body_length"] == len(body)


@pytest.mark.parametrize("case", DERIVED["cases"], ids=by_name)
def test_derived_cases_are_decrypted(case):
    """What was encrypted elsewhere is read here, padding removed and trailing zeros of the text kept."""
    assert unb64(case["plaintext"]) == decrypt(unb64(case["body"]), A["ua_private"], A["auth_secret"])


@pytest.mark.parametrize("case", DERIVED["must_fail"], ids=by_name)
def test_damaged_bodies_are_refused(case):
    """A flipped bit, a wrong delimiter and a sender's key off the curve fail, each with its own reason."""
    with pytest.raises(DecryptionError) as caught:
        decrypt(unb64(case["body"]), A["ua_private"], A["auth_secret"])

    assert case["expect"] == caught.value.reason


@pytest.mark.parametrize("case", DERIVED["bad_p256dh"], ids=by_name)
def test_bad_browser_keys_are_refused(case):
    """Keys of the wrong length, form or curve never get as far as a key exchange."""
    with pytest.raises(ValueError, match="p256dh"):
        public_key(unb64(case["p256dh"]))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b"\x00" * 20, "shorter than a header"),
        (b"\x00" * 16 + b"\x00\x00\x10\x00" + b"\x41" + b"\x04" * 65, "no record behind the header"),
        (b"\x00" * 16 + b"\x00\x00\x00\x05" + b"\x41" + b"\x04" * 65 + b"x" * 40, "a record size below 18"),
        (b"\x00" * 16 + b"\x00\x00\x10\x00" + b"\x10" + b"\x04" * 65, "a key id that is no key"),
        (b"\x00" * 16 + b"\x00\x00\x00\x20" + b"\x41" + b"\x04" * 65 + b"x" * 40, "two records"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bodies_without_a_usable_header_are_refused(body, why):
    """A header that is cut short, or that names what no browser takes, is refused as such."""
    with pytest.raises(DecryptionError) as caught:
        decrypt(body, A["ua_private"], A["auth_secret"])

    assert caught.value.reason == "bad_header"


@pytest.mark.parametrize("padding", ["none", "block", 2820])
@pytest.mark.parametrize("plaintext", [b"", b"x", "Grüße 🎉".encode(), b"z" * 127, b"z" * 128, b"abc\x00\x00", b"y" * 3993])
def test_http_ece_reads_our_bodies(plaintext, padding):
    """Another implementation (http_ece, the one behind pywebpush) decrypts what we encrypt."""
    body = encrypt(plaintext, BROWSER.public, BROWSER.auth, padding=padding)

    assert plaintext == http_ece.decrypt(body, private_key=BROWSER.key, auth_secret=BROWSER.auth, version="aes128gcm")


def test_we_read_bodies_of_http_ece():
    """And the other way round."""
    body = http_ece.encrypt(
        b"hello",
        salt=None,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=BROWSER.public,
        auth_secret=BROWSER.auth,
        version="aes128gcm",
    )

    assert b"hello" == decrypt(body, BROWSER.key, BROWSER.auth)


@pytest.mark.parametrize(
    ("length", "padding", "padded"),
    [(5, "none", 5), (5, "block", 127), (127, "block", 127), (128, "block", 255), (5, 0, 5), (5, 100, 100), (5, 9999, 3993), (3993, "block", 3993), (3980, "block", 3993)],
)  # fmt: skip
def test_padding_fills_up_to_the_wanted_length(length, padding, padded):
    """Nothing, the next block of 128 with the delimiter counted, or a fixed length; never beyond one record."""
    assert padded + 1 == len(pad(b"t" * length, padding))


def test_body_is_plaintext_and_padding_and_103_octets():
    """Header 86, delimiter 1, tag 16 (RFC 8188 section 2)."""
    assert 103 + 40 == len(encrypt(b"t" * 10, BROWSER.public, BROWSER.auth, padding=40))


def test_largest_plaintext_makes_a_body_of_4096_octets():
    """What every service must take (RFC 8030 section 7.2)."""
    assert len(encrypt(b"t" * 3993, BROWSER.public, BROWSER.auth)) == 4096


def test_one_octet_more_is_refused():
    """Beyond one record, no browser would read the message."""
    with pytest.raises(ValueError, match="expected at most 3993 octets of plaintext, found 3994"):
        encrypt(b"t" * 3994, BROWSER.public, BROWSER.auth)


@pytest.mark.parametrize("padding", ["full", -1, True, 1.5, None])
def test_unknown_paddings_are_refused(padding):
    """The error names what is possible."""
    with pytest.raises(ValueError, match='"none", "block" or a number'):
        pad(b"", padding)


def test_key_and_salt_are_fresh_for_every_message():
    """The same text for the same browser never shares a salt or a sender's key."""
    bodies = [encrypt(b"same", BROWSER.public, BROWSER.auth) for _ in range(20)]

    assert 20 == len({body[:16] for body in bodies})
    assert 20 == len({body[21:86] for body in bodies})


@pytest.mark.parametrize("spelling", [str, lambda text: text + "==", lambda text: text.replace("-", "+").replace("_", "/"), str.encode])
def test_keys_are_taken_in_every_spelling_of_base64(spelling):
    """With or without padding, both alphabets, text or octets."""
    body = encrypt(b"hello", spelling(b64(BROWSER.public)), spelling(b64(BROWSER.auth)))

    assert b"hello" == decrypt(body, BROWSER.key, BROWSER.auth)


@pytest.mark.parametrize(
    ("p256dh", "auth", "said"),
    [("%%%", "AAAAAAAAAAAAAAAAAAAAAA", "p256dh: expected 65 octets"), (b64(BROWSER.public), "AAAA", "auth: expected 16 octets.*found 3"), (b"", b"", "p256dh")],
)  # fmt: skip
def test_encrypt_says_which_key_is_wrong(p256dh, auth, said):
    """What was seen and what was expected, without the value."""
    with pytest.raises(ValueError, match=said):
        encrypt(b"", p256dh, auth)
