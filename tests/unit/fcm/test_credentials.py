"""Credentials: reading key files, asking for tokens, and what is said when that fails."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from tests.unit.fcm.answers import OTHER_ROWS
from tests.unit.fcm.helpers import BEARER, NOW, PROJECT, account, answer, key_file, rsa_pem
from tests.unit.fcm.test_reasons import assert_as_reference
from tests.unit.fcm.test_topics import run

from pushkit import fcm
from pushkit.errors import ConfigurationError
from pushkit.fcm.oauth import SCOPE, token_from
from pushkit.outcomes import Action, Disposition, Scope
from pushkit.provider import AccessToken
from pushkit.verdict import LatchCredential, Verdict
from pushkit.wire import FaultKind, Processed, WireFault


def ec_pem():
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def protected_pem():
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


# --- the key file -----------------------------------------------------------------------------------


def test_a_key_file_is_read_in_every_form(tmp_path):
    """A path, its text, its bytes, the parsed object."""
    text = json.dumps(key_file())
    path = tmp_path / "service-account.json"
    path.write_text(text, "utf-8")

    every = [
        fcm.ServiceAccount.from_file(path),
        fcm.ServiceAccount.from_file(str(path)),
        fcm.ServiceAccount.from_json(text),
        fcm.ServiceAccount.from_json(text.encode()),
        fcm.ServiceAccount.from_info(key_file()),
    ]

    assert [every[0]] * 5 == every
    assert (PROJECT, 2048) == (every[0].project_id, every[0].key_bits)


def test_line_ends_that_an_environment_variable_broke_are_mended():
    """Backslash and n instead of a line end."""
    assert 2048 == fcm.ServiceAccount.from_info(key_file(private_key=rsa_pem().replace("\n", "\\n"))).key_bits


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"type": "authorized_user"}, "GoogleAuth"),
        ({"type": "external_account"}, "GoogleAuth"),
        ({"type": "impersonated_service_account"}, "GoogleAuth"),
        ({"project_info": {}, "client": []}, "google-services.json"),
        ({"apiKey": "x", "projectId": "y"}, "web API configuration"),
        ({}, "service_account"),
        ({"type": "service_account"}, "client_email and private_key missing"),
        (key_file(private_key=""), "private_key missing"),
        (key_file(private_key="no key"), "BEGIN and END"),
        (key_file(private_key=rsa_pem()[:200]), "BEGIN and END"),
        (key_file(client_email=5), "client_email is a int"),
        (key_file(token_uri="oauth2.googleapis.com"), "token_uri"),
        (key_file(universe_domain="evil.com:99999"), "universe_domain"),
        (key_file(universe_domain="a b"), "universe_domain"),
        (key_file(private_key="-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"), "is a public key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_key_file_says_what_it_is_and_where_the_right_one_comes_from(info, says):
    """Raised when it is made, and nothing of the key is quoted."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        fcm.ServiceAccount.from_info(info)

    assert "PRIVATE KEY" not in str(caught.value).replace("BEGIN and END", "")
    assert caught.value.__cause__ is None


def test_a_key_of_the_wrong_kind_is_refused():
    """An APNs or VAPID key, or one with a password."""
    with pytest.raises(ConfigurationError, match="RSA"):
        fcm.ServiceAccount.from_info(key_file(private_key=ec_pem()))
    with pytest.raises(ConfigurationError, match="password"):
        fcm.ServiceAccount.from_info(key_file(private_key=protected_pem()))


@pytest.mark.parametrize("text", ["", "no json", "[1]", b"\xff", "[" * 100_000, '{"private_key": "secret", '])
def test_text_that_is_no_key_file_is_refused_without_quoting_it(text):
    """A JSON error would quote the document."""
    with pytest.raises(ConfigurationError) as caught:
        fcm.ServiceAccount.from_json(text)

    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    """With the way to get one."""
    with pytest.raises(ConfigurationError, match="no such file"):
        fcm.ServiceAccount.from_file(tmp_path / "none.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        fcm.ServiceAccount.from_file(tmp_path)


def test_an_account_travels_to_another_process_and_hides_its_key():
    """Pickled with its key (on purpose), shown without it."""
    copy = pickle.loads(pickle.dumps(account()))

    assert account() == copy
    assert copy.assertion(NOW).count(".") == 2
    assert "PRIVATE" not in repr(account())


# --- the grant --------------------------------------------------------------------------------------


def fetched(*results, credentials=None):
    credential = (credentials or account()).credential()
    return run(credential.fetch(NOW, 50.0), *results)


GOOD = answer(200, json.dumps({"access_token": BEARER, "expires_in": 3599, "token_type": "Bearer"}).encode())


def test_the_assertion_is_what_google_asks_for():
    """RFC 7523, checked by PyJWT: RS256, key id, issuer, audience, least scope, an hour at the most."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    requests, _ = fetched(GOOD)
    form = parse_qs(requests[0].body.decode())
    assertion = form["assertion"][0]
    public = load_pem_private_key(rsa_pem().encode(), None).public_key()

    claims = jwt.decode(
        assertion,
        public,
        algorithms=["RS256"],
        audience="https://oauth2.googleapis.com/token",
        options={"verify_exp": False, "verify_iat": False},
    )

    assert ["urn:ietf:params:oauth:grant-type:jwt-bearer"] == form["grant_type"]
    assert {"alg": "RS256", "typ": "JWT", "kid": "0123456789abcdef"} == jwt.get_unverified_header(assertion)
    assert (f"pusher@{PROJECT}.iam.gserviceaccount.com", SCOPE) == (claims["iss"], claims["scope"])
    assert (NOW - 10, 3600) == (claims["iat"], claims["exp"] - claims["iat"])
    assert "sub" not in claims


def test_the_grant_goes_to_the_token_uri_over_http_1():
    """POST of a form, outside the multiplexed connections."""
    requests, token = fetched(GOOD)

    assert (b"POST", "https://oauth2.googleapis.com", b"/token") == (requests[0].method, str(requests[0].origin), requests[0].path)
    assert (b"content-type", b"application/x-www-form-urlencoded") in requests[0].block.fields
    assert ("http/1.1",) == requests[0].policy.protocols
    assert AccessToken(value=BEARER, expires_at=NOW + 3599) == token


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        ("3600", 3600),
        (None, 3600),
        ("soon", 3600),
        (-5, 3600),
        (True, 3600),
        (1e400, 3600),
        ([], 3600),
        (10**9, 86400),
        (60.5, 60.5),
        (1, 60),
        ("20", 60),
    ],
)
def test_the_lifetime_of_a_token(expires_in, lifetime):
    """Some endpoints write the number as text; nonsense counts as an hour, more than a day as a day, less than a minute as one."""
    body = json.dumps({"access_token": BEARER, "expires_in": expires_in}).encode()

    assert NOW + lifetime == token_from(answer(200, body), NOW).expires_at


def oauth_error(status, error, *headers):
    return answer(status, json.dumps({"error": error, "error_description": "Invalid JWT Signature."}).encode(), *headers)


def test_invalid_grant_is_the_row_of_the_reference():
    """And it stops the sending with this credential."""
    verdict = token_from(oauth_error(400, "invalid_grant"), NOW)

    assert_as_reference(OTHER_ROWS["400 token endpoint invalid_grant"], verdict)
    assert (LatchCredential(),) == verdict.directives
    assert "Invalid JWT Signature." in verdict.detail


@pytest.mark.parametrize(
    "result",
    [
        *[answer(status, b"<html>") for status in (408, 429, 500, 502, 503, 504)],
        oauth_error(400, "temporarily_unavailable"),
        oauth_error(400, "internal_failure"),
        oauth_error(400, "server_error"),
        WireFault(kind=FaultKind.CONNECT_FAILED, processed=Processed.NO),
        WireFault(kind=FaultKind.TIMEOUT, processed=Processed.UNKNOWN),
        WireFault(kind=FaultKind.CONNECTION_LOST, processed=Processed.UNKNOWN),
    ],
)
def test_trouble_at_the_token_endpoint_is_the_row_of_the_reference(result):
    """Nothing was sent, whatever became of the call for a token."""
    assert_as_reference(OTHER_ROWS["None token endpoint 408/429/500/503/504"], token_from(result, NOW))


def test_retry_after_of_the_token_endpoint_is_honoured():
    """As everywhere."""
    assert 7.0 == token_from(answer(503, b"", (b"retry-after", b"7")), NOW).retry_after


@pytest.mark.parametrize(
    ("result", "reason", "action"),
    [
        (oauth_error(401, "invalid_client"), "oauth_invalid_client", Action.FIX_CREDENTIALS),
        (oauth_error(403, "access_denied"), "oauth_access_denied", Action.FIX_CREDENTIALS),
        (oauth_error(400, "No Such Word!"), "oauth_http_400", Action.FIX_CREDENTIALS),
        (answer(403, b"<html>"), "oauth_http_403", Action.FIX_CREDENTIALS),
        (answer(404, b"<html>"), "oauth_not_found", Action.FIX_CONFIGURATION),
        (answer(302, b"", (b"location", b"https://elsewhere.example/")), "oauth_not_found", Action.FIX_CONFIGURATION),
        (answer(200, b"<html>"), "oauth_malformed_response", Action.FIX_CONFIGURATION),
        (answer(200, b'{"access_token": 5}'), "oauth_malformed_response", Action.FIX_CONFIGURATION),
        (answer(200, b'{"access_token": "a\\r\\nx: y"}'), "oauth_malformed_response", Action.FIX_CONFIGURATION),
        (WireFault(kind=FaultKind.TLS_FAILED, processed=Processed.NO), "oauth_tls_failed", Action.FIX_CONFIGURATION),
    ],
)
def test_a_refusal_of_the_token_endpoint_is_not_retried(result, reason, action):
    """Somebody has to change something."""
    verdict = token_from(result, NOW)

    assert (reason, action, False, Disposition.NOT_SENT) == (verdict.reason, verdict.action, verdict.retryable, verdict.disposition)


def test_a_wrong_clock_is_told_beside_a_refused_grant():
    """The commonest cause, and Google does not say so."""
    date = datetime.fromtimestamp(NOW - 600, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()

    assert "clock is +600 s off" in token_from(oauth_error(400, "invalid_grant", (b"date", date)), NOW).detail


# --- callables and static tokens --------------------------------------------------------------------


def asked(source):
    return fcm.Config(credentials=source, project_id=PROJECT).source.credential().fetch(NOW, 50.0)()


def test_a_callable_gives_tokens():
    """Text for five minutes, or a token that knows its end."""
    assert AccessToken(value="t", expires_at=NOW + 300) == asked(lambda: "t")
    assert AccessToken(value="t", expires_at=NOW + 900) == asked(lambda: AccessToken(value="t", expires_at=NOW + 900))


def test_a_callables_token_that_is_about_to_end_is_used_once_more():
    """Delivery would ask for another one again and again, and a callable with a cache gives the same one."""
    assert AccessToken(value="t", expires_at=NOW + 60) == asked(lambda: AccessToken(value="t", expires_at=NOW + 5))


def test_a_callables_token_that_has_ended_is_tried_again_later():
    """It cannot be used, and asking at once would give it again."""
    verdict = asked(lambda: AccessToken(value="t", expires_at=NOW - 1))

    assert ("credential_fetch_failed", True) == (verdict.reason, verdict.retryable)


@pytest.mark.parametrize("ends", [None, "soon", True, math.nan, math.inf, datetime(2027, 1, 1, tzinfo=UTC), NOW * 1000])
def test_a_callables_token_with_no_readable_end_has_to_be_mended(ends):
    """A datetime is the natural mistake; delivery counts in seconds."""
    verdict = asked(lambda: AccessToken(value="t", expires_at=ends))

    assert ("credential_fetch_failed", False) == (verdict.reason, verdict.retryable)
    assert "epoch seconds" in verdict.detail


@pytest.mark.parametrize("value", [None, "", "a b", "a\r\nx: y", "é"])
def test_a_callables_token_that_is_no_token_has_to_be_mended(value):
    """It cannot become a header, and is not quoted."""
    verdict = asked(lambda: AccessToken(value=value, expires_at=NOW + 900))

    assert "credential_fetch_failed" == verdict.reason
    assert "x: y" not in verdict.detail


def test_a_callable_that_raises_is_a_technical_failure_without_its_text():
    """Its text may quote a secret."""

    def broken():
        raise RuntimeError("secret")

    verdict = asked(broken)

    assert ("credential_fetch_failed", True) == (verdict.reason, verdict.retryable)
    assert "RuntimeError" in verdict.detail
    assert "secret" not in verdict.detail


@pytest.mark.parametrize("value", [None, 5, "", "a b", b"bytes"])
def test_a_callable_that_gives_something_else_has_to_be_mended(value):
    """It cannot become a header."""
    verdict = asked(lambda: value)

    assert ("credential_fetch_failed", Scope.CREDENTIAL, False) == (verdict.reason, verdict.scope, verdict.retryable)


@pytest.mark.parametrize("value", [None, "", "a b", "a\nb", "é"])
def test_a_static_token_that_is_none_is_refused(value):
    """When it is made."""
    with pytest.raises(ConfigurationError, match="StaticToken"):
        fcm.StaticToken(value)


def test_tokens_hide_themselves():
    """In every repr."""
    assert BEARER not in repr(fcm.StaticToken(BEARER)) + repr(fcm.Config(credentials=fcm.StaticToken(BEARER), project_id=PROJECT))


# --- google-auth ------------------------------------------------------------------------------------


def google_credentials(refresh, expiry=None):
    from google.auth import credentials

    class Own(credentials.Credentials):
        project_id = "google-project"

        def refresh(self, request):
            refresh(self)
            self.expiry = expiry

    return Own()


def google_fetched(refresh, **changes):
    source = fcm.GoogleAuth(google_credentials(refresh, **changes), request=lambda *_, **__: None)
    return source.credential().fetch(NOW, 50.0)()


def good_refresh(credentials):
    credentials.token = BEARER


def test_google_auth_refreshes_and_tells_its_expiry():
    """Its expiry is naive UTC."""
    expiry = (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=100)).replace(tzinfo=None)

    assert AccessToken(value=BEARER, expires_at=NOW + 100) == google_fetched(good_refresh, expiry=expiry)
    assert AccessToken(value=BEARER, expires_at=NOW + 3600) == google_fetched(good_refresh)


def test_a_token_of_google_auths_that_is_about_to_end_is_used_once_more():
    """As any other; delivery would ask again and again."""
    expiry = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)

    assert AccessToken(value=BEARER, expires_at=NOW + 60) == google_fetched(good_refresh, expiry=expiry)


@pytest.mark.parametrize("value", [None, "", "a\nb", "é"])
def test_google_auth_without_a_usable_token_is_told(value):
    """It cannot become a header."""

    def refresh(credentials):
        credentials.token = value

    assert "oauth_malformed_response" == google_fetched(refresh).reason


def test_google_auth_names_its_project():
    """Where the credentials know one."""
    assert "google-project" == fcm.Config(credentials=fcm.GoogleAuth(google_credentials(good_refresh))).project


def test_credentials_without_a_scope_get_the_least_one():
    """Service accounts of google-auth refuse to refresh without."""
    from google.oauth2 import service_account

    source = fcm.GoogleAuth(service_account.Credentials.from_service_account_info(key_file()))
    scopes = []

    class Stop(Exception):
        pass

    def request(*_, **__):
        raise Stop

    import attrs

    credential = attrs.evolve(source, request=request).credential()
    verdict = credential.fetch(NOW, 50.0)()
    scopes = credential._scoped.scopes

    assert [SCOPE] == scopes
    assert "credential_fetch_failed" == verdict.reason


def raising(error):
    def refresh(_):
        raise error

    return refresh


def test_google_auths_errors_become_verdicts_without_their_text():
    """Their text may quote a token endpoint's answer."""
    from google.auth import exceptions

    cases = [
        (exceptions.RefreshError("secret", {"error": "invalid_grant"}), "oauth_invalid_grant", False),
        (exceptions.RefreshError("secret", {"error": "a secret?"}), "oauth_refused", False),
        (exceptions.RefreshError("secret", '{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'), "oauth_permission_denied", False),
        (exceptions.RefreshError("secret", b'{"error": {"code": 503, "status": "UNAVAILABLE"}}'), "oauth_unavailable", True),
        (exceptions.OAuthError("secret", '{"error": "invalid_target"}'), "oauth_invalid_target", False),
        (exceptions.OAuthError("secret", "<html>"), "oauth_unavailable", True),
        (exceptions.RefreshError("secret"), "oauth_refused", False),
        (exceptions.RefreshError("secret", retryable=True), "oauth_unavailable", True),
        (exceptions.TransportError("secret"), "oauth_unavailable", True),
        (OSError("secret"), "credential_fetch_failed", False),
    ]

    for error, reason, retryable in cases:
        verdict = google_fetched(raising(error))
        assert isinstance(verdict, Verdict)
        assert (reason, retryable) == (verdict.reason, verdict.retryable)
        assert "secret" not in verdict.detail


def test_google_auth_without_a_token_is_a_failure():
    """A subclass that does nothing."""
    assert "oauth_malformed_response" == google_fetched(lambda _: None).reason


@pytest.mark.parametrize("value", [None, "x", object()])
def test_something_else_than_google_credentials_is_refused(value):
    """The pair of google.auth.default() has a hint of its own."""
    with pytest.raises(ConfigurationError, match="expected google"):
        fcm.GoogleAuth(value)
    with pytest.raises(ConfigurationError, match="pair"):
        fcm.GoogleAuth((google_credentials(good_refresh), "project"))
