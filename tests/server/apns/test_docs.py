"""The pages about Apple are true: the table of types is the code's, and every snippet runs."""

from __future__ import annotations

import asyncio
import re
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from tests.test_docs import execute, snippets

import pushkit
from pushkit import Notification, apns
from pushkit.apns.kinds import RULES
from pushkit.testing import PushServer

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def server():
    with PushServer() as running:
        yield running


def test_the_table_of_types_is_what_the_code_does():
    """Suffix, priorities, lifetime and size of all eleven."""
    rows = re.findall(
        r"^\| `\w.* \| `(\w+)` \| (\S+) \| ([\d, ]+) \| (.+?) \| (\d+) \|$", (DOCS / "apns.md").read_text("utf-8"), re.MULTILINE
    )

    table = {name: (suffix.strip("`"), priorities, lives, int(limit)) for name, suffix, priorities, lives, limit in rows}

    assert {
        rule_name.value: (
            rule.suffix or "–",
            ", ".join(str(value) for value in rule.priorities),
            "now or never" if rule.ttl == 0 else "1 day",
            rule.limit,
        )
        for rule_name, rule in RULES.items()
    } == table


PAGES = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("apns.md", "moving-from-aioapns.md")
    for number, code in enumerate(snippets(DOCS / page), 1)
    if not code.startswith("# aioapns")
]


@pytest.mark.parametrize("code", PAGES)
def test_every_snippet_runs(code, server, tmp_path, monkeypatch):
    """Against the local push service, with the names that the text around it explains."""
    server.reset()
    pem = server.apns_key.pem
    (tmp_path / "AuthKey_ABC123DEFG.p8").write_text(pem)
    server.accounts.add_apns_key(pem, key_id="ABC123DEFG", team_id="DEF123GHIJ")
    monkeypatch.chdir(tmp_path)

    class Local(pushkit.AsyncClient):
        def __init__(self, *, apns):
            origins = server.apns_config()
            super().__init__(
                apns=attrs.evolve(apns, origin=origins.origin, channels_origin=origins.channels_origin), ssl_context=server.ssl_context()
            )

    async def run():
        monkeypatch.setattr(pushkit, "AsyncClient", Local, raising=False)
        gone = server.device()
        server.unregister(gone)
        deleted = []
        async with Local(apns=server.apns_config()) as push:
            outcome = await push.send(Notification(title="T"), to=gone)
            row = types.SimpleNamespace(token=server.device().token, id=1, registered_at=datetime(2020, 1, 1, tzinfo=UTC))
            names = {
                "pushkit": pushkit,
                "apns": apns,
                "Notification": Notification,
                "push": push,
                "timedelta": timedelta,
                "arrival": datetime(2026, 12, 1, tzinfo=UTC),
                "start_token": server.device().token,
                "update_token": server.device().token,
                "pem_text": pem,
                "vault": types.SimpleNamespace(read=lambda _: pem),
                "outcome": outcome,
                "row": row,
                "rows": [row, types.SimpleNamespace(token=gone.token, id=2)],
                "delete": deleted.append,
                "forget": lambda ref, since: deleted.append(ref),
                "print": lambda *_: None,
            }
            return await execute(code.replace("80b5…", server.device().token), names), deleted

    names, deleted = asyncio.run(run())

    if "removable" in code:
        assert [names["row"]] == deleted
    if "report.to_remove" in code:
        assert [2] == deleted
    if "push.send(" in code and "outcome =" in code:
        assert names["outcome"].accepted
    if "report" in names:
        assert names["report"].total == 2
