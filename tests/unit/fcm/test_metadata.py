"""The metadata server of Google's machines: a token, and the project, without a key file."""

from __future__ import annotations

import json

import pytest
from tests.unit.fcm.helpers import BEARER, NOW, answer
from tests.unit.fcm.test_topics import run

from pushkit import fcm
from pushkit.errors import ConfigurationError
from pushkit.provider import AccessToken
from pushkit.wire import FaultKind, Processed, WireFault

GOOD = answer(200, json.dumps({"access_token": BEARER, "expires_in": 3599, "token_type": "Bearer"}).encode())
PROJECT_ANSWER = answer(200, b"meta-project\n", (b"metadata-flavor", b"Google"))


def test_the_metadata_server_is_asked_for_the_project_and_a_token():
    """Plain HTTP with Google's header, the least scope."""
    credential = fcm.MetadataServer().credential()

    requests, token = run(credential.fetch(NOW, 50.0), PROJECT_ANSWER, GOOD)

    assert AccessToken(value=BEARER, expires_at=NOW + 3599) == token
    assert "meta-project" == credential.project_id
    assert [
        b"/computeMetadata/v1/project/project-id",
        b"/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Ffirebase.messaging",
    ] == [request.path for request in requests]
    assert {("http://metadata.google.internal", ((b"metadata-flavor", b"Google"),))} == {
        (str(request.origin), request.block.fields) for request in requests
    }


def test_a_known_project_saves_the_question():
    """One request."""
    assert 1 == len(run(fcm.MetadataServer(project_id="p").credential().fetch(NOW, 50.0), GOOD)[0])


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (answer(200, b"meta-project"), "oauth_no_metadata_server"),
        (answer(404, b"<html>"), "oauth_no_metadata_server"),
        (answer(503), "oauth_unavailable"),
        (WireFault(kind=FaultKind.CONNECT_FAILED, processed=Processed.NO), "oauth_unavailable"),
    ],
)
def test_another_server_in_its_place_is_noticed(result, reason):
    """Only Google's sends its header."""
    assert reason == run(fcm.MetadataServer().credential().fetch(NOW, 50.0), result)[1].reason


def test_two_apps_that_ask_for_their_project_do_not_share_a_token():
    """One of them would be left without a project."""
    assert fcm.MetadataServer().credential().key != fcm.MetadataServer().credential().key
    assert fcm.MetadataServer(project_id="p").credential().key == fcm.MetadataServer(project_id="p").credential().key


@pytest.mark.parametrize("changes", [{"origin": "metadata"}, {"origin": None}, {"account": ""}])
def test_a_wrong_metadata_server_is_refused(changes):
    """When it is made."""
    with pytest.raises(ConfigurationError, match="MetadataServer"):
        fcm.MetadataServer(**changes)


@pytest.mark.parametrize(("status", "says"), [(404, "service account"), (200, "metadata server's address")])
def test_advice_speaks_of_the_machine_and_not_of_a_key_file(status, says):
    """There is none."""
    verdict = run(fcm.MetadataServer(project_id="p").credential().fetch(NOW, 50.0), answer(status, b"<html>"))[1]

    assert says in verdict.advice
    assert "key file" not in verdict.advice
