"""VAPID: every form of key, the subject, tokens and their cache."""

from __future__ import annotations

import json
import pickle
import stat

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.unit.webpush.helpers import KEY, NOW, OTHER_KEY, SUBJECT, VECTORS, b64, unb64

from pushkit import ConfigurationError
from pushkit.webpush import VapidKey
from pushkit.webpush.credentials import VapidTokens, subject_problem

CRYPTO_KEY = ec.derive_private_key(int.from_bytes(bytes(range(1, 33)), "big"), ec.SECP256R1())
RAW = b64(bytes(range(1, 33)))


def dumped(form=PrivateFormat.PKCS8, encoding=Encoding.PEM, password=None, key=CRYPTO_KEY) -> bytes:
    return key.private_bytes(encoding, form, BestAvailableEncryption(password) if password else NoEncryption())


def jwk(**changes) -> dict:
    numbers = CRYPTO_KEY.public_key().public_numbers()
    fields = {"kty": "EC", "crv": "P-256", "d": RAW, "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
    return fields | changes


FORMS = {
    "base64url": RAW,
    "base64url padded": RAW + "=",
    "standard base64": RAW.replace("-", "+").replace("_", "/") + "=",
    "base64url as octets": RAW.encode(),
    "with a newline": RAW + "\n",
    "raw octets": bytes(range(1, 33)),
    "PKCS#8 PEM": dumped().decode(),
    "PKCS#8 PEM octets": dumped(),
    "SEC1 PEM": dumped(PrivateFormat.TraditionalOpenSSL).decode(),
    "SEC1 PEM behind EC PARAMETERS": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    + dumped(PrivateFormat.TraditionalOpenSSL).decode(),
    "PEM from an environment variable": dumped().decode().replace("\n", "\\n"),
    "PEM with Windows lines and a byte order mark": b"\xef\xbb\xbf" + dumped().replace(b"\n", b"\r\n"),
    "PKCS#8 DER": dumped(encoding=Encoding.DER),
    "SEC1 DER": dumped(PrivateFormat.TraditionalOpenSSL, Encoding.DER),
    "DER as base64": b64(dumped(encoding=Encoding.DER)),
    "JWK": jwk(),
    "JWK as text": json.dumps(jwk()),
    "JWK without the public part": {key: value for key, value in jwk().items() if key not in "xy"},
    "web-push's JSON": json.dumps({"publicKey": KEY.public_key, "privateKey": RAW}),
    "snake case mapping": {"public_key": KEY.public_key, "private_key": RAW},
    "cryptography key": CRYPTO_KEY,
    "VapidKey": KEY,
}


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_key_is_read(source):
    """All forms that people store give the same key."""
    assert KEY == VapidKey.parse(source)


@pytest.mark.parametrize("source", [source for source in FORMS.values() if isinstance(source, (str, bytes))])
def test_every_form_is_read_from_a_file(tmp_path, source):
    """A file may hold any of the forms."""
    path = tmp_path / "vapid.key"
    path.write_bytes(source.encode() if isinstance(source, str) else source)

    assert KEY == VapidKey.from_file(path)
    assert KEY == VapidKey.from_file(str(path))
    assert KEY == VapidKey.parse(path)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_encrypted_keys_are_read_with_their_password(tmp_path, encoding):
    """PEM and DER."""
    path = tmp_path / "vapid.pem"
    path.write_bytes(dumped(password=b"correct horse", encoding=encoding))

    assert KEY == VapidKey.from_file(path, password="correct horse")


BAD_FORMS = {
    "nothing": ("", "nothing .is the environment variable set"),
    "a public key": (KEY.public_key, "the public key; the private one is needed"),
    "hexadecimal": (bytes(range(1, 33)).hex(), "64 hexadecimal digits"),
    "a path that is not there": ("/etc/keys/vapid.pem", "the path of a file that does not exist.*from_file"),
    "a relative path that is not there": ("vapid.pem", "the path of a file that does not exist.*from_file"),
    "base64 of another length": (b64(b"x" * 31), "base64 of 31 octets"),
    "32 characters of text": ("abcdefghijklmnopqrstuvwxyz012345", "base64 of 24 octets"),
    "32 characters of text as octets": (b"abcdefghijklmnopqrstuvwxyz012345", "base64 of 24 octets"),
    "no base64": ("!!not base64!!", "no base64, PEM or JSON"),
    "a public PEM": (
        CRYPTO_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "PUBLIC KEY.*the private key is needed",
    ),
    "half a PEM": (dumped().decode()[:80], "is the end of the file missing"),
    "a damaged PEM": (dumped().decode().replace("MIG", "AAA"), "the data are damaged, or hold no private key"),
    "an encrypted PEM without its password": (dumped(password=b"pw"), "is encrypted; pass password="),
    "another curve": (dumped(key=ec.generate_private_key(ec.SECP384R1())), "on the curve secp384r1; Web Push uses P-256"),
    "an RSA key": (dumped(key=rsa.generate_private_key(65537, 2048)), "of the type RSAPrivateKey"),
    "zero": (bytes(32), "outside the range of P-256"),
    "the order of the curve": (b"\xff" * 32, "outside the range of P-256"),
    "a JWK of another curve": (jwk(crv="P-384"), '"crv": "P-256"'),
    "a public JWK": ({key: value for key, value in jwk().items() if key != "d"}, "without a private part"),
    "JSON that is cut short": ('{"kty": "EC"', "begins like JSON but is none"),
    "another object": ({"foo": 1}, 'without "kty"'),
    "None": (None, "found a NoneType"),
    "a number": (7, "found a int"),
}


@pytest.mark.parametrize(("source", "said"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_wrong_keys_are_named(source, said):
    """The error says what was seen and what was expected."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        VapidKey.parse(source)

    assert "expected" in str(caught.value) or "pass password" in str(caught.value) or "P-256" in str(caught.value)


@pytest.mark.parametrize("source", [source for source, _ in BAD_FORMS.values() if isinstance(source, (str, bytes)) and len(source) > 30])
def test_errors_never_quote_the_key(source):
    """Nothing longer than a few characters of what was given shows in the error or its causes."""
    text = source if isinstance(source, str) else source.decode("latin-1")
    with pytest.raises(ConfigurationError) as caught:
        VapidKey.parse(source)

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not [
        text[i : i + 20] for i in range(len(text) - 20) if text[i : i + 20] in str(caught.value) and "-----" not in text[i : i + 20]
    ]


def test_a_missing_file_is_named_and_never_made(tmp_path):
    """Unlike py_vapid, which makes a new key and so kills every subscription."""
    path = tmp_path / "vapid.pem"

    with pytest.raises(ConfigurationError, match=r"no such file .looked in .*VapidKey.generate"):
        VapidKey.from_file(path)
    assert not path.exists()


def test_a_folder_is_no_key_file(tmp_path):
    """What the system says, with the path."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        VapidKey.from_file(tmp_path)


def test_a_huge_file_is_not_read_whole(tmp_path):
    """64 KiB are more than any key."""
    path = tmp_path / "big"
    path.write_bytes(b"A" * 70_000)

    with pytest.raises(ConfigurationError, match="more than 65536 bytes"):
        VapidKey.from_file(path)


def test_a_stated_public_key_is_checked():
    """A pair that does not belong together is found when it is configured."""
    assert KEY == VapidKey.parse(RAW, public_key=KEY.public_key)
    with pytest.raises(ConfigurationError, match=r"vapid_keypair_mismatch.*the public key does not belong to the private key"):
        VapidKey.parse(RAW, public_key=OTHER_KEY.public_key)
    with pytest.raises(ConfigurationError, match="vapid_keypair_mismatch"):
        VapidKey.parse({"privateKey": RAW, "publicKey": OTHER_KEY.public_key})
    with pytest.raises(ConfigurationError, match="vapid_keypair_mismatch"):
        VapidKey.parse(jwk(x=b64(b"\x01" * 32)))
    with pytest.raises(ConfigurationError, match="65 octets"):
        VapidKey.parse(RAW, public_key="AAAA")


def test_the_public_key_is_what_a_browser_wants():
    """65 octets, uncompressed, base64url without padding."""
    raw = unb64(KEY.public_key)

    assert (65, 4) == (len(raw), raw[0])
    assert "=" not in KEY.public_key


def test_generated_keys_differ_and_travel():
    """A generated key can be written, read, and given to other libraries."""
    key = VapidKey.generate()

    assert key != VapidKey.generate()
    assert key == VapidKey.parse(key.to_pem()) == VapidKey.parse(key.private_key) == pickle.loads(pickle.dumps(key))


def test_write_makes_a_private_file_and_never_overwrites(tmp_path):
    """Mode 600; a second write is refused, since it would kill the subscriptions."""
    path = tmp_path / "vapid.pem"
    KEY.write(path)

    assert KEY == VapidKey.from_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError, match="exists; a key is never overwritten"):
        OTHER_KEY.write(path)
    assert KEY == VapidKey.from_file(path)


def test_repr_shows_a_fingerprint_only():
    """Neither half of the key."""
    assert f"<VapidKey {KEY.fingerprint}>" == repr(KEY)
    assert len(KEY.fingerprint) == 8
    assert RAW not in repr(KEY)


def test_rfc8292_token_verifies_with_its_key():
    """RFC 8292 section 2.4: PyJWT, with the RFC's key, accepts the RFC's token; our reading of k is the RFC's."""
    vector = VECTORS["rfc8292_section_2_4"]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(vector["k"]))

    claims = jwt.decode(vector["jwt"], key, algorithms=["ES256"], audience=vector["claims"]["aud"], options={"verify_exp": False})

    assert vector["claims"] == claims
    assert vector["authorization"] == f"vapid t={vector['jwt']}, k={vector['k']}"


def token_of(headers) -> tuple[str, str]:
    ((name, value),) = headers
    assert name == b"authorization"
    scheme, _, rest = value.decode().partition(" ")
    assert scheme == "vapid"
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    return fields["t"], fields["k"]


def test_our_token_has_the_form_of_rfc8292():
    """Header, claims and their JSON types are those of the RFC's example; the key is ours."""
    token, k = token_of(VapidTokens("mailto:push@example.com").headers("https://push.example.net", KEY, 1453523768 - 12 * 3600))
    header, claims = (json.loads(unb64(part)) for part in token.split(".")[:2])

    vector = VECTORS["rfc8292_section_2_4"]
    assert vector["header"] == header
    assert vector["claims"] == claims
    assert KEY.public_key == k
    assert len(unb64(token.split(".")[2])) == 64


def test_pyjwt_verifies_our_token():
    """Signature, audience and claims, by another implementation."""
    token, k = token_of(VapidTokens(SUBJECT).headers("https://web.push.apple.com", KEY, NOW))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(k))

    claims = jwt.decode(token, key, algorithms=["ES256"], audience="https://web.push.apple.com", options={"verify_exp": False})

    assert {"aud": "https://web.push.apple.com", "exp": int(NOW) + 12 * 3600, "sub": SUBJECT} == claims


def test_tokens_are_kept_for_eleven_hours():
    """Signed once, renewed when less than an hour is left (RFC 8292 section 4)."""
    tokens = VapidTokens(SUBJECT)
    first = tokens.headers("https://a.example.org", KEY, NOW)

    assert first is tokens.headers("https://a.example.org", KEY, NOW + 11 * 3600 - 1)
    assert first is not tokens.headers("https://a.example.org", KEY, NOW + 11 * 3600 + 1)


def test_tokens_differ_by_origin_and_key():
    """A token is made out to one origin (aud) and signed with one key."""
    tokens = VapidTokens(SUBJECT)
    headers = {
        tokens.headers(origin, key, NOW) for origin in ("https://a.example.org", "https://b.example.org") for key in (KEY, OTHER_KEY)
    }

    assert len(headers) == 4
    assert len(tokens) == 4


def test_a_clock_set_back_makes_a_new_token():
    """A token from "the future" would be more than 24 hours ahead of the service."""
    tokens = VapidTokens(SUBJECT)
    ahead = tokens.headers("https://a.example.org", KEY, NOW + 30 * 24 * 3600)

    assert ahead is not tokens.headers("https://a.example.org", KEY, NOW)


def test_a_refused_token_is_dropped_once():
    """Many refusals of the same token make one new token, not one each."""
    tokens = VapidTokens(SUBJECT)
    refused = tokens.headers("https://a.example.org", KEY, NOW)
    tokens.drop(refused)
    fresh = tokens.headers("https://a.example.org", KEY, NOW + 1)
    tokens.drop(refused)

    assert refused is not fresh
    assert fresh is tokens.headers("https://a.example.org", KEY, NOW + 2)


def test_tokens_are_bounded():
    """Origins come from strangers."""
    tokens = VapidTokens(SUBJECT, size=3)
    for number in range(10):
        tokens.headers(f"https://{number}.example.org", KEY, NOW)

    assert len(tokens) == 3


@pytest.mark.parametrize(
    "subject",
    [
        "mailto:ops@example.com",
        "mailto:a.b+c@sub.example.org",
        "mailto:ops@xn--bcher-kva.example.com",
        "mailto:ops@Example.COM.",
        "https://example.com/contact",
        "https://example.com:8443",
    ],
)
def test_real_contacts_are_taken(subject):
    """A mail address or a page at a public name."""
    assert subject_problem(subject) is None


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("", "empty"),
        (None, "empty"),
        ("ops@example.com", 'write "mailto:" in front'),
        ("mailto: ops@example.com", "space"),
        (" mailto:ops@example.com", "space"),
        ("mailto:ops@localhost", "no public name"),
        ("mailto:ops@printer.local", "no public name"),
        ("mailto:ops@host.invalid", "no public name"),
        ("mailto:ops@app.test", "no public name"),
        ("https://localhost", "no public name"),
        ("https://localhost:3000/", "no public name"),
        ("https://192.168.1.1/", "no public name"),
        ("https://[::1]/", "no public name"),
        ("https://", "no public name"),
        ("http://example.com", "neither"),
        ("mailto:", "plain address"),
        ("mailto:ops", "plain address"),
        ("mailto:Ops <ops@example.com>", "space"),
        ("mailto:<ops@example.com>", "plain address"),
        ("mailto:a@example.com,b@example.com", "plain address"),
        ("mailto:a@b@example.com", "plain address"),
        ("mailto:ops@example.com/", "no public name"),
        ("mailto:ops@example.com#x", "no public name"),
        ("mailto:ops@-.com", "no public name"),
        ("mailto:ops@[10.0.0.1]", "no public name"),
        ("mailto:ops@bücher.example.com", "xn--"),
        ("https://0x7f.0x1/", "no public name"),
        ("https://\\example.com", "no public name"),
        ("tel:+123", "neither"),
    ],
)
def test_contacts_that_apple_refuses_are_caught(subject, said):
    """Apple answers 403 BadJwtToken to these; the error tells how to mend it."""
    assert said in (subject_problem(subject) or "")
