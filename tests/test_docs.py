"""What the documentation shows is true: snippets run, names exist, examples exit with 0."""

from __future__ import annotations

import ast
import asyncio
import importlib
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import pushkit
from pushkit import Notification
from pushkit.testing import PushServer

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
EXAMPLES = sorted(ROOT.glob("examples/**/*.py"))
CODE = re.compile(r"^(?P<indent> *)```python\n(?P<code>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE)
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def snippets(page: Path) -> list[str]:
    return [re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE) for match in CODE.finditer(page.read_text("utf-8"))]


ALL = [pytest.param(code, id=f"{page.stem}-{number}") for page in PAGES for number, code in enumerate(snippets(page), 1)]


@pytest.fixture(scope="module")
def server() -> Iterator[PushServer]:
    with PushServer() as running:
        yield running


@pytest.fixture
def local(server: PushServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PushServer:
    """The key files that snippets read are there, and every client goes to the local push services."""
    server.reset()
    server.accounts.add_apns_key(server.apns_key.pem or "", key_id="ABC123DEFG", team_id="DEF123GHIJ")
    (tmp_path / "AuthKey_ABC123DEFG.p8").write_text(server.apns_key.pem or "")
    (tmp_path / "service-account.json").write_text(json.dumps(server.service_account_file()))
    (tmp_path / "vapid.pem").write_text(server.vapid.pem)
    for name in ("AuthKey_ABC123DEFG.p8", "service-account.json", "vapid.pem"):
        (tmp_path / name).chmod(0o600)
    monkeypatch.chdir(tmp_path)

    class Local(pushkit.AsyncClient):
        def __init__(self, *, apns: Any = None, fcm: Any = None, webpush: Any = None, **others: Any) -> None:
            super().__init__(
                apns=apns and attrs.evolve(apns, origin=server.origin("apns")),
                fcm=fcm and attrs.evolve(fcm, origin=server.origin("fcm")),
                webpush=webpush and attrs.evolve(webpush, endpoints=server.webpush_config().endpoints),
                ssl_context=server.ssl_context(),
                **others,
            )

    monkeypatch.setattr(pushkit, "AsyncClient", Local, raising=False)
    return server


async def execute(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a snippet as if it stood in an asynchronous function."""
    compiled = compile(code, "<snippet>", "exec", flags=AWAIT)
    result = types.FunctionType(compiled, names)()
    if result is not None:
        await result
    return names


def test_the_readme_comes_to_the_first_success_in_fifteen_lines(local: PushServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet runs as it stands, with a device that exists in place of the shortened token."""
    code = snippets(ROOT / "README.md")[0]
    device = local.device()
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 15

    names = {"__name__": "__main__", "print": print}
    exec(compile(code.replace("80b5…", device.token), "README.md", "exec"), names)

    assert 1 == len(local.sent)
    assert local.sent[0].accepted
    assert "Accepted(apns" in capsys.readouterr().out


class Heard:
    """Stands for a reader's own log, queue, database and pager, and remembers what each was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def function(self, name: str) -> Any:
        return lambda *arguments, **named: self.calls.append((name, arguments, named))

    def names(self, local: PushServer) -> dict[str, Any]:
        return {
            "user": types.SimpleNamespace(id=17),
            "log": types.SimpleNamespace(info=self.function("log")),
            "queue": types.SimpleNamespace(put=self.function("queue")),
            "forget": self.function("forget"),
            "alert": self.function("alert"),
            "notification": Notification(title="To many"),
            "targets": [local.device(), local.registration(), local.subscription()],
            "a_million_targets": lambda: (local.device() for _ in range(10)),
        }


def whole() -> str:
    """The snippet that shows everything."""
    return next(code for code in snippets(ROOT / "docs" / "index.md") if "a_million_targets" in code)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("accepted", "log"),
        ("Unregistered", "forget"),
        ("TooManyRequests", "queue"),
        ("PayloadTooLarge", "alert"),
        ("InvalidProviderToken", "alert"),
    ],
)
def test_the_whole_in_one_piece_runs(word: str, told: str, local: PushServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind of outcome takes the branch that the reader expects; many and a stream go through."""
    device = local.device()
    if word != "accepted":
        local.behaviour.to(device).next().answer(word)
    heard = Heard()

    names = asyncio.run(execute(whole().replace("80b5…", device.token), heard.names(local)))

    assert [told] == [name for name, _, _ in heard.calls]
    if word != "InvalidProviderToken":  # a refused key stops everything that follows, as it should
        assert names["report"].ok
        assert "3 pushes: 3 accepted" in capsys.readouterr().out


def test_what_the_queue_was_given_can_be_resumed(local: PushServer) -> None:
    """The JSON of the snippet's third branch holds everything that is needed to send the same push again."""
    device = local.device()
    local.behaviour.to(device).next().answer("TooManyRequests")
    heard = Heard()
    asyncio.run(execute(whole().replace("80b5…", device.token), heard.names(local)))
    [(_, (text,), _)] = [call for call in heard.calls if call[0] == "queue"]

    async def later() -> pushkit.Outcome:
        config = local.apns_config()
        async with pushkit.AsyncClient(apns=config) as push, push.resume(pushkit.TechnicalFailure.from_json(text)) as outcomes:
            return await anext(aiter(outcomes))

    outcome = asyncio.run(later())

    assert outcome.accepted
    assert [1, 2] == [attempt.number for attempt in outcome.attempts]


def test_the_readmes_other_snippets_run(local: PushServer) -> None:
    """The match and the calls for many, in one program."""
    _, match, many = snippets(ROOT / "README.md")
    heard = Heard()

    async def run() -> None:
        async with pushkit.AsyncClient(apns=local.apns_config(), fcm=local.fcm_config(), webpush=local.webpush_config()) as push:
            names = heard.names(local) | {"pushkit": pushkit, "Action": pushkit.Action, "push": push}
            names["outcome"] = await push.send(names["notification"], to=local.device())
            await execute(match, names)
            await execute(many, names)
            assert names["report"].ok

    asyncio.run(run())

    assert ["log"] == [name for name, _, _ in heard.calls]


@pytest.mark.parametrize("code", ALL)
def test_every_snippet_is_python_and_names_what_exists(code: str) -> None:
    """No page shows a name that pushkit does not have."""
    tree = compile(code, "<snippet>", "exec", flags=AWAIT | ast.PyCF_ONLY_AST)
    modules = {"pushkit": pushkit, "apns": pushkit.apns, "fcm": pushkit.fcm, "webpush": pushkit.webpush}
    unknown = [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
        if not hasattr(modules[node.value.id], node.attr) and not _is_module(f"pushkit.{node.attr}")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pushkit":
            module = importlib.import_module(node.module or "")
            unknown += [
                f"{node.module}.{name.name}"
                for name in node.names
                if not hasattr(module, name.name) and not _is_module(f"{node.module}.{name.name}")
            ]

    assert [] == unknown


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    """A page that was renamed is found here and not by a reader."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))

    assert [] == [link for link in links if "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists()]


def test_ci_runs_the_commands_of_the_readme() -> None:
    """What a newcomer types is what is checked, word for word."""
    readme = (ROOT / "README.md").read_text("utf-8")
    run = (ROOT / ".ci" / "run").read_text("utf-8")

    for command in ('pip install -e ".[demo]" && python -m pushkit demo', 'pip install -e ".[dev]" && pytest'):
        assert command in readme
        assert command in run


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_runs(example: Path, tmp_path: Path) -> None:
    """Against local push services, in a process of its own, warnings as errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PUSHKIT")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
