"""Certificates: how they are read, what they cover, and when they end."""

from __future__ import annotations

import base64
import pickle
import traceback
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.unit.apns.certificates import PASSWORD, TOPICS, certificate, make, p12, pem, rsa_key
from tests.unit.apns.helpers import NOW, refusal_for, request_for, sender

from pushkit import ConfigurationError, apns

MADE = make(topics=TOPICS)
CERT, KEY = pem(MADE)


@pytest.mark.parametrize(
    "read",
    [
        lambda: apns.Certificate.from_pem(CERT + KEY),
        lambda: apns.Certificate.from_pem(KEY + CERT),
        lambda: apns.Certificate.from_pem(CERT, KEY),
        lambda: apns.Certificate.from_pem(CERT.decode(), KEY.decode()),
        lambda: apns.Certificate.from_pem(b"Bag Attributes\n    friendlyName: push\n" + CERT + b"Bag Attributes\n" + KEY + b"trailing"),
        lambda: apns.Certificate.from_pem(CERT, pem(MADE, password=PASSWORD)[1], password=PASSWORD),
        lambda: apns.Certificate.from_p12(p12(MADE), PASSWORD),
        lambda: apns.Certificate.from_p12(p12(MADE), PASSWORD.encode()),
        lambda: apns.Certificate.from_p12(p12(MADE, password=None)),
    ],
    ids=["together", "key first", "two texts", "str", "bag attributes", "encrypted key", "p12", "p12 bytes password", "p12 open"],
)
def test_every_form_gives_the_same_certificate(read):
    """PEM in one text or two, PKCS#12 with a password or without."""
    assert apns.Certificate.from_pem(CERT + KEY) == read()


def test_files_are_read(tmp_path):
    """One file or two, or a .p12."""
    (tmp_path / "both.pem").write_bytes(CERT + KEY)
    (tmp_path / "cert.pem").write_bytes(CERT)
    (tmp_path / "key.pem").write_bytes(KEY)
    (tmp_path / "push.p12").write_bytes(p12(MADE))

    expected = apns.Certificate.from_pem(CERT + KEY)

    assert expected == apns.Certificate.from_pem_file(tmp_path / "both.pem")
    assert expected == apns.Certificate.from_pem_file(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert expected == apns.Certificate.from_p12_file(tmp_path / "push.p12", PASSWORD)


def test_it_tells_what_it_is_for():
    """Bundle id, topics, environments and dates come out of the certificate itself."""
    read = certificate(topics=TOPICS, start=NOW, days=365)

    assert "com.example.app" == read.bundle_id
    assert frozenset(TOPICS) == read.topics
    assert frozenset(apns.Environment) == read.environments
    assert datetime.fromtimestamp(NOW, UTC) == read.not_before
    assert datetime.fromtimestamp(NOW + 365 * 86_400, UTC) == read.not_after


@pytest.mark.parametrize(
    ("numbers", "environments"),
    [((1,), {"sandbox"}), ((2,), {"production"}), ((1, 2), {"sandbox", "production"}), ((), set())],
)
def test_extensions_tell_the_environments(numbers, environments):
    """.6.3.1 is the sandbox, .6.3.2 production, both universal."""
    assert environments == certificate(environments=numbers).environments


def test_a_list_longer_than_127_bytes_is_read():
    """DER writes longer lengths in another form."""
    topics = {f"com.example.app.part{n}": "app" for n in range(40)}

    assert frozenset(topics) == certificate(topics=topics).topics


@pytest.mark.parametrize(
    "raw", [b"", b"\x30", b"\x30\x05\x0c\x02ab", b"\x0c\x01a", b"\x30\x82\xff\xff", b"\x30\x84\xff\xff\xff\xff\x0c", bytes(range(256))]
)
def test_a_damaged_list_says_nothing(raw):
    """Then the certificate is for its own bundle id, as older ones are."""
    assert certificate(topics=raw).topics <= {"a"}


def test_the_intermediate_certificates_are_sent_along():
    """And the leaf comes first, wherever the export put it."""
    other = make(bundle_id="intermediate")[0]
    text = other.public_bytes(Encoding.PEM) + CERT

    read = apns.Certificate.from_pem(text, KEY)

    assert "com.example.app" == read.bundle_id
    assert read.wire.chain.startswith(CERT)
    assert 2 == read.wire.chain.count(b"BEGIN CERTIFICATE")


def test_rsa_keys_work():
    """Apple's own tool makes those."""
    assert "com.example.app" == certificate(key=rsa_key()).bundle_id


def _ed25519() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: apns.Certificate.from_pem(CERT), "no private key"),
        (lambda: apns.Certificate.from_pem(KEY), "no -----BEGIN CERTIFICATE"),
        (lambda: apns.Certificate.from_pem(CERT[:200] + b"\n-----END CERTIFICATE-----\n", KEY), "cannot be read"),
        (lambda: apns.Certificate.from_pem(CERT, KEY[:100]), "cannot be read"),
        (lambda: apns.Certificate.from_pem(CERT, pem(make())[1]), "belongs to another certificate"),
        (lambda: apns.Certificate.from_pem(CERT, _ed25519()), "expected an RSA or EC key"),
        (lambda: apns.Certificate.from_pem(CERT, pem(MADE, password=PASSWORD)[1]), "pass password="),
        (lambda: apns.Certificate.from_pem(CERT, KEY, password=PASSWORD), "leave password= out"),
        (lambda: apns.Certificate.from_pem(CERT, pem(MADE, password=PASSWORD)[1], password="wrong"), "password is wrong"),
        (lambda: apns.Certificate.from_pem(None), "got a NoneType"),
        (lambda: apns.Certificate.from_p12(p12(MADE)), "needs a password"),
        (lambda: apns.Certificate.from_p12(p12(MADE), "wrong"), "needs another password"),
        (lambda: apns.Certificate.from_p12(b"nonsense"), "cannot be read"),
        (lambda: apns.Certificate.from_p12(CERT), "use Certificate.from_pem"),
        (lambda: apns.Certificate.from_p12("text"), "got a str"),
        (lambda: apns.Certificate.from_pem_file("/nowhere/push.pem"), "no such file"),
    ],
)
def test_what_cannot_be_used_says_why(read, said):
    """Without a word of the key or the password."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        read()

    assert PASSWORD not in str(caught.value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    for frame in shown.stack:
        if frame.filename != __file__:
            assert KEY.splitlines()[1].decode() not in repr(frame.locals)
            assert PASSWORD not in repr(frame.locals)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_repr_shows_no_key():
    """Pickling, which is asked for, keeps it."""
    read = certificate()

    assert "BEGIN" not in repr(read) + repr(read.wire)
    assert "com.example.app" in repr(read)
    assert read == pickle.loads(pickle.dumps(read))


def test_it_goes_into_the_handshake_and_not_into_a_header():
    """No authorization; the connection shows it, and belongs to it."""
    one, other = certificate(), certificate()
    request = request_for(apns.Background(), by=sender(credentials=one))

    assert request.auth is None
    assert one.wire == request.policy.client_certificate
    assert request.policy.first_streams is None
    assert request.pool_key != request_for(apns.Background(), by=sender(credentials=other)).pool_key


@pytest.mark.parametrize("message", [apns.LocationQuery(), apns.FileProviderSignal("c", domain="d")], ids=["location", "file provider"])
def test_types_that_need_a_token_key_are_refused(message):
    """Apple takes them with no certificate; found before anything is sent."""
    verdict = refusal_for(message, by=sender(credentials=certificate()))

    assert ("technical", "token_key_required", "fix_credentials") == (verdict.category, verdict.reason, verdict.action)


def test_a_service_that_is_not_in_the_certificate_is_refused():
    """A VoIP push needs the VoIP topic among the certificate's."""
    verdict = refusal_for(apns.Voip(), by=sender(credentials=certificate(topics={"com.example.app": "app"})))

    assert ("topic_not_in_certificate", "fix_credentials") == (verdict.reason, verdict.action)


@pytest.mark.parametrize("topics", [TOPICS, None])
def test_what_no_certificate_lists_is_left_to_apns(topics):
    """Nothing is refused on a guess."""
    by = sender(credentials=certificate(topics=topics))

    assert request_for(apns.WidgetsRefresh(), by=by)
    assert request_for(apns.LiveActivityUpdate({}), apns.ActivityToken("80b5" * 16), by=by)


def test_a_service_that_is_listed_is_sent():
    """The topics come from the certificate itself."""
    assert request_for(apns.Voip(), by=sender(credentials=certificate(topics=TOPICS)))


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"days": 300}, "ok", "is valid until"),
        ({"days": 20}, "warning", "ends on"),
        ({"days": 0.5}, "error", "ended on"),
        ({"start": NOW + 86_400}, "error", "not valid yet"),
        ({"environments": (1,)}, "error", "not for the production environment"),
        ({"bundle_id": "org.other"}, "error", "does not cover"),
    ],
)
def test_findings_tell_what_will_go_wrong(changes, level, said):
    """A month before a certificate ends, and at once where it is for something else."""
    by = sender(credentials=certificate(**changes), topic="com.example.app")

    assert any(level == finding.level and said in finding.message for finding in by.findings(NOW))


def test_nothing_is_found_wrong_with_an_environment_that_nobody_uses():
    """A production certificate in a production configuration is fine."""
    by = sender(credentials=certificate(environments=(2,)))

    assert ["ok"] == [finding.level for finding in by.findings(NOW)]


def test_the_end_can_be_asked_for():
    """For the warning event."""
    read = certificate()

    assert [read.not_after] == list(sender(credentials=read).credential_ends())


def test_line_ends_may_be_written_out():
    """As environment variables hold them."""
    assert apns.Certificate.from_pem(CERT + KEY) == apns.Certificate.from_pem((CERT + KEY).decode().replace("\n", "\\n"))


@pytest.mark.parametrize("password", [17, "canary\ud800"])
@pytest.mark.parametrize(
    "read",
    [lambda word: apns.Certificate.from_pem(CERT, KEY, password=word), lambda word: apns.Certificate.from_p12(p12(MADE), word)],
    ids=["pem", "p12"],
)
def test_a_password_that_is_none_says_so(read, password):
    """And not that the key were open, or the file damaged."""
    with pytest.raises(ConfigurationError, match="password=: ") as caught:
        read(password)

    assert "canary" not in str(caught.value)


def test_extensions_that_are_there_twice_are_refused():
    """What a damaged certificate makes its parser say is told in our words."""
    made = make(environments=(1, 2))
    der = made[0].public_bytes(Encoding.DER)
    sandbox, production = bytes.fromhex("2a864886f76364060301"), bytes.fromhex("2a864886f76364060302")
    assert der.count(production) == 1
    twice = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der.replace(production, sandbox)) + b"-----END CERTIFICATE-----\n"

    with pytest.raises(ConfigurationError, match=r"cannot be read \(DuplicateExtension\)"):
        apns.Certificate.from_pem(twice, pem(made)[1])
