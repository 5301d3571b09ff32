"""Keys, tokens, and which connection shows which token."""

from __future__ import annotations

import base64
import json
import pickle
import traceback

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.unit.apns.helpers import KEY_ID, NOW, TEAM_ID, key_pem, sender, token_key

from pushkit import ConfigurationError, apns
from pushkit.apns.credentials import GRID, KEEP, PinnedToken, can_sign_deterministically

PEM = key_pem()


def _der_base64(pem: bytes) -> bytes:
    return b"".join(pem.splitlines()[1:-1])


def _token(header: bytes) -> str:
    scheme, _, token = header.decode().partition(" ")
    assert "bearer" == scheme
    return token


def _public(key: bytes) -> object:
    return serialization.load_pem_private_key(key, None).public_key()


def test_the_token_is_what_apple_asks_for():
    """ES256, the key id in the header, team and time of issue as the only claims; PyJWT verifies it."""
    header, _ = token_key(key=PEM).auth.header(None, NOW)

    claims = jwt.decode(_token(header), _public(PEM), algorithms=["ES256"], options={"verify_iat": False})

    assert {"iss": TEAM_ID, "iat": int(NOW // GRID) * GRID} == claims
    assert {"alg": "ES256", "kid": KEY_ID, "typ": "JWT"} == jwt.get_unverified_header(_token(header))


def test_two_processes_derive_the_same_token():
    """A fleet needs no talk: same key, same half hour, same bytes."""
    assert can_sign_deterministically()

    first, second = token_key(key=PEM), token_key(key=PEM)

    assert first.auth.header(None, NOW)[0] == second.auth.header(None, NOW + 1)[0]
    assert first.auth is not second.auth


def test_without_deterministic_signatures_a_random_one_is_made(monkeypatch):
    """An older OpenSSL still gives valid tokens, only not the same ones everywhere."""
    monkeypatch.setattr("pushkit.apns.credentials._deterministic", False)

    first, second = (token_key(key=PEM).auth.header(None, NOW)[0] for _ in range(2))

    assert first != second
    by = sender()
    assert any("deterministic" in finding.message for finding in by.findings(NOW))
    assert ["deterministic" in note for note in by.notes()] == [True]
    jwt.decode(_token(first), _public(PEM), algorithms=["ES256"], options={"verify_iat": False})


@pytest.mark.parametrize(
    "source",
    [PEM, PEM.decode(), PEM.decode().replace("\n", "\\n"), PEM.decode().replace("\n", "\r\n"), _der_base64(PEM), _der_base64(PEM).decode()],
    ids=["bytes", "text", "escaped line ends", "windows", "base64 bytes", "base64 text"],
)
def test_a_key_is_read_in_every_form_that_people_keep_it_in(source):
    """The same key, whichever way it was stored."""
    assert token_key(key=PEM) == token_key(key=source)


def test_a_key_file_tells_its_own_key_id(tmp_path):
    """Apple's file name holds the key id."""
    path = tmp_path / f"AuthKey_{KEY_ID}.p8"
    path.write_bytes(PEM)

    assert token_key(key=PEM) == apns.TokenKey.from_file(path, team_id=TEAM_ID)
    assert token_key(key=PEM) == apns.TokenKey.from_file(str(path), key_id=KEY_ID, team_id=TEAM_ID)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    """The mend for a wrong path is to see the path."""
    with pytest.raises(ConfigurationError, match="no such file") as caught:
        apns.TokenKey.from_file(tmp_path / "AuthKey_ABC123DEFG.p8", team_id=TEAM_ID)

    assert "AuthKey_ABC123DEFG.p8" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_swapped_ids_are_noticed(tmp_path):
    """The file's name gives the swap away."""
    path = tmp_path / f"AuthKey_{KEY_ID}.p8"
    path.write_bytes(PEM)

    with pytest.raises(ConfigurationError, match="swapped"):
        apns.TokenKey.from_file(path, key_id=TEAM_ID, team_id=KEY_ID)


def _key_lines(source) -> list[str]:
    text = source.decode("latin-1") if isinstance(source, bytes) else str(source)
    return [line for line in text.splitlines() if len(line) >= 20 and not line.startswith("-----")]


def _rsa_pem() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _encrypted_pem() -> bytes:
    key = serialization.load_pem_private_key(PEM, None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"canary-password")
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (key_pem(ec.SECP384R1()), "secp384r1"),
        (_rsa_pem(), "RSA"),
        (PEM[: len(PEM) // 2], "PRIVATE KEY|cut short"),
        (PEM.replace(b"M", b"*"), "cannot be read"),
        (_public(PEM).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo), "no PRIVATE KEY"),
        (b"hello", "BEGIN PRIVATE KEY|cannot be read"),
        (b"", "no text in it"),
        (" \r\n", "no text in it"),
        (17, "got a int"),
        (_encrypted_pem(), "pass password="),
    ],
    ids=["P-384", "RSA", "half", "damaged", "public key", "text", "empty", "blank", "number", "encrypted"],
)
def test_a_wrong_key_says_what_was_seen(source, said):
    """Refused when it is made, naming what it is and what Apple makes; the key itself is not quoted."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        token_key(key=source)

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert _der_base64(PEM)[20:60].decode() not in str(caught.value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    for frame in shown.stack:
        if frame.filename != __file__:
            assert not any(line in repr(frame.locals) for line in _key_lines(source))


def test_an_encrypted_key_opens_with_its_password():
    """Some people encrypt what Apple gave."""
    assert token_key(key=PEM) == token_key(key=_encrypted_pem(), password="canary-password")


def test_a_wrong_password_is_named_as_a_possible_cause():
    """OpenSSL cannot tell a wrong password from a damaged file."""
    with pytest.raises(ConfigurationError, match="password is wrong"):
        token_key(key=_encrypted_pem(), password="canary-wrong")


@pytest.mark.parametrize("name", ["key_id", "team_id"])
@pytest.mark.parametrize("value", ["short", "abc123defg", "ABC123DEFGH", None, 1234567890, "ABC 123DEF"])
def test_an_id_that_is_none_is_refused(name, value):
    """Both ids are ten capital letters and digits; the error says where they stand."""
    with pytest.raises(ConfigurationError, match=f"{name}: expected Apple's 10"):
        token_key(**{name: value})


def test_a_callable_is_asked_once_and_only_when_needed():
    """A secret store is not asked at import time, and not for every push."""
    asked = []
    key = apns.TokenKey.from_callable(lambda: asked.append(1) or PEM, key_id=KEY_ID, team_id=TEAM_ID)
    before = list(asked)

    key.auth.header(None, NOW)
    key.auth.header(None, NOW + GRID)

    assert [] == before
    assert [1] == asked


def test_a_callable_that_fails_says_for_which_key():
    """And what it raised; an error tracker gets no frame of ours that held a key."""

    def broken() -> bytes:
        raise KeyError("vault")

    key = apns.TokenKey.from_callable(broken, key_id=KEY_ID, team_id=TEAM_ID)

    with pytest.raises(ConfigurationError, match=f"{KEY_ID} raised KeyError"):
        _ = key.auth


def test_keys_are_values():
    """Equal, hashable, picklable; their repr shows no key."""
    key = token_key(key=PEM)
    _ = key.auth

    copy = pickle.loads(pickle.dumps(key))

    assert key == copy
    assert hash(key) == hash(copy)
    assert key != token_key(key=key_pem())
    assert f"<apns.TokenKey key_id={KEY_ID} team_id={TEAM_ID}>" == repr(key)


def test_a_connection_keeps_its_token_for_55_minutes():
    """The token that it began with, until that is 55 minutes old, whatever others have by then."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + GRID - 1
    first, slot = auth.header(None, start)

    kept, slot = auth.header(slot, start + 25 * 60)
    other, _ = auth.header(None, start + 25 * 60)
    changed, _ = auth.header(slot, start + 25 * 60 + 1)

    assert first == kept
    assert first != other
    assert other == changed


def test_a_refused_token_is_replaced_by_one_made_now():
    """Off the grid, on the next connection only; all new connections then share it."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + 600
    _, slot = auth.header(None, start)

    auth.rejected(slot)
    auth.rejected(slot)
    fresh, fresh_slot = auth.header(None, start + 5)
    again, _ = auth.header(None, start + 300)

    assert start + 5 == _claims(fresh)["iat"]
    assert fresh == again
    assert isinstance(fresh_slot, PinnedToken)


def test_after_a_refusal_the_fleet_meets_again_on_the_grid():
    """The next half hour's token is the common one."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + 600
    _, slot = auth.header(None, start)
    auth.rejected(slot)
    auth.header(None, start + 5)

    common, _ = auth.header(None, start + GRID)

    assert int(NOW // GRID) * GRID + GRID == _claims(common)["iat"]


def test_a_refused_fresh_token_is_replaced_too():
    """A second refusal gives a third token, once time has moved."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + 600
    _, slot = auth.header(None, start)
    auth.rejected(slot)
    _, slot = auth.header(None, start + 5)
    auth.rejected(slot)

    third, _ = auth.header(None, start + 9)

    assert start + 9 == _claims(third)["iat"]


def test_a_clock_that_was_set_back_gives_a_new_token():
    """A token from the future is dropped, a second's difference between clocks is not."""
    auth = token_key().auth
    first, slot = auth.header(None, NOW)
    issued = _claims(first)["iat"]

    kept, _ = auth.header(slot, issued - 10)
    replaced, _ = auth.header(slot, issued - 3600)

    assert first == kept
    assert _claims(replaced)["iat"] <= issued - 3600


@pytest.mark.parametrize("slot", [None, "nonsense", 17, object()])
def test_a_slot_of_somebody_else_is_as_good_as_none(slot):
    """The pool keeps it opaque; nothing here trusts it."""
    auth = token_key().auth

    auth.rejected(slot)

    assert auth.header(None, NOW)[0] == auth.header(slot, NOW)[0]


def test_the_numbers_keep_both_of_apples_rules():
    """A connection keeps a token for 20 minutes at least, and none gets an hour old."""
    assert KEEP - GRID >= 20 * 60
    assert KEEP < 60 * 60


def _claims(header: bytes) -> dict[str, int]:
    part = _token(header).split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize(("password", "said"), [(17, "text or bytes, got a int"), ("canary\ud800", "half a character")])
def test_a_password_that_is_none_says_so_and_is_not_repeated(password, said):
    """An error that holds the password as an attribute would travel to an error tracker."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        token_key(key=_encrypted_pem(), password=password)

    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("key_id", "seen"), [("abc123defg", "10 characters that are not all of these"), (" ABC123DEFG", "11 characters"), (None, "a NoneType")]
)
def test_a_key_id_that_is_none_says_what_was_seen(key_id, seen):
    """Ten small letters are ten characters all the same."""
    with pytest.raises(ConfigurationError, match=f"key_id: expected .* got {seen}$"):
        token_key(key_id=key_id)


def test_a_key_id_that_contradicts_the_files_name_is_refused(tmp_path):
    """Apple names the file after the key; two keys mixed up are InvalidProviderToken at night."""
    path = tmp_path / "AuthKey_ABC123DEFG.p8"
    path.write_bytes(PEM)

    with pytest.raises(ConfigurationError, match="not the one in the name"):
        apns.TokenKey.from_file(path, key_id="XYZ123DEFG", team_id=TEAM_ID)


def test_line_ends_of_windows_may_be_written_out():
    """As some environment variables hold them."""
    assert token_key(key=PEM) == token_key(key=PEM.decode().replace("\n", "\\r\\n"))


def test_a_late_refusal_of_an_older_token_brings_no_refused_one_back():
    """Answers come in any order."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + 600
    _, old = auth.header(None, start)
    auth.rejected(old)
    _, fresh = auth.header(None, start + 5)
    auth.rejected(fresh)
    auth.rejected(old)

    assert start + 9 == _claims(auth.header(None, start + 9)[0])["iat"]


def test_a_fresh_token_is_not_shown_before_its_time():
    """After a refusal, the clock is set back: Apple refuses what was made in the future."""
    auth = token_key().auth
    start = int(NOW // GRID) * GRID + 600
    _, slot = auth.header(None, start)
    auth.rejected(slot)
    auth.header(None, start + 100)

    assert start + 40 == _claims(auth.header(None, start + 40)[0])["iat"]
