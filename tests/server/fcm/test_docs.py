"""The pages about Google are true: every snippet runs against the local services."""

from __future__ import annotations

import asyncio
import json
import types
from pathlib import Path

import attrs
import pytest
from tests.test_docs import execute, snippets

import pushkit
from pushkit.testing import PushServer

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("fcm.md", "moving-from-firebase-admin.md")
    for number, code in enumerate(snippets(DOCS / page), 1)
    if not code.startswith("# firebase-admin")
]


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


@pytest.mark.parametrize("code", PAGES)
def test_every_snippet_runs(code, server, tmp_path, monkeypatch):
    """With the names that the text around it explains; what defines messages can also send them."""
    server.reset()
    (tmp_path / "service-account.json").write_text(json.dumps(server.service_account_file()), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVICE_ACCOUNT", json.dumps(server.service_account_file()))
    told = []
    clients = []

    def local(kind):
        class Local(kind):
            def __init__(self, *, fcm, **others):
                super().__init__(fcm=attrs.evolve(fcm, origin=server.origin("fcm")), ssl_context=server.ssl_context(), **others)
                clients.append(self)

        return Local

    monkeypatch.setattr(pushkit, "AsyncClient", local(pushkit.AsyncClient), raising=False)
    monkeypatch.setattr(pushkit, "Client", local(pushkit.Client), raising=False)
    addresses = types.SimpleNamespace(remove_if_equal=lambda *given: told.append(given), mark_for_review=lambda *given: told.append(given))
    names = {
        "token": server.registration().token,
        "delete": told.append,
        "log": lambda *given: told.append(given),
        "print": lambda *_: None,
    }

    async def run():
        found = await execute(code, dict(names))
        async with pushkit.AsyncClient(fcm=server.fcm_config()) as push:
            for name in ("order", "message", "activity", "urgent"):
                if name in found and found.get("Client") is None:
                    assert (await push.send(found[name], to=server.registration())).accepted, name
            if "follow" in found:
                await found["follow"](push, [server.registration(), server.registration()])
            if "after" in found:
                gone, odd = server.registration(ref=1), server.registration(ref=2)
                server.behaviour.to(gone).answer("UNREGISTERED")
                server.behaviour.to(odd).answer("SENDER_ID_MISMATCH")
                for target in (gone, odd):
                    found["after"](await push.send(pushkit.Notification(title="x"), to=target), addresses)
        return found

    found = asyncio.run(run())
    for client in clients:
        if isinstance(client, pushkit.Client):
            client.close()

    if "after" in found:
        assert [(1,), (2,)] == [given[:1] for given in told]
    if "outcome" in found:
        assert found["outcome"].accepted
        assert [] == told


def test_the_evidence_that_the_page_names_is_what_is_given():
    """Every key of ``info``."""
    import re

    from pushkit.fcm import classify

    text = (DOCS / "fcm.md").read_text("utf-8")
    sentence = text[text.index("What Google tells beside the reason") :].split("## ")[0]
    named = set(re.findall(r"`(\w+)`", sentence)) | {"warning"}
    source = Path(classify.__file__).read_text("utf-8")
    given = (
        set(re.findall(r'"(\w+)": answer\.', source))
        | set(re.findall(r'found\["(\w+)"\]', source))
        | {"apns_status", "fields", "quota", "warning"}
    )

    assert given == named
