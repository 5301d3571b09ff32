"""
``python -m pushkit demo``: the whole job against local push services, with a script of what goes wrong.

It sends to a mixed audience over real TLS and HTTP/2, prints the report, then compares report and
services with the script. It says so, and exits with 1, when anything differs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from pushkit.apns import Device
from pushkit.cli.summary import terminal_columns
from pushkit.client import AsyncClient
from pushkit.notification import Notification
from pushkit.outcomes import Outcome
from pushkit.report import Report
from pushkit.targets import Target

if TYPE_CHECKING:
    from pushkit.events import Hook
    from pushkit.testing import PushServer

LABEL = "autumn-sale"
TITLE = "The autumn sale has begun"
BODY = "Everything that is red costs half. Until Sunday."
FLOOD = 5_000
"""Characters of the text that somebody pasted into the wrong field."""

Finding: TypeAlias = tuple[str, str, str]
"""Provider, category and reason."""


@attrs.frozen(kw_only=True)
class Scene:
    """Who gets what, and what has to come of it."""

    targets: Sequence[Target | None]
    flooded: frozenset[object]
    """``ref`` of those whose message is far too long."""
    accepted: int
    failures: Counter[Finding]
    title: str = TITLE
    body: str = BODY

    def message(self, target: Target | None) -> Notification:
        """The message for a target: the same for everybody but the flooded."""
        long = getattr(target, "ref", None) in self.flooded
        return Notification(title=self.title, body=self.body * (1 + FLOOD // len(self.body)) if long else self.body, label=LABEL, ttl=3600)


def make_scene(server: PushServer, *, title: str = TITLE, body: str = BODY) -> Scene:
    """Register an audience with the services and script what goes wrong."""
    failures: Counter[Finding] = Counter()
    phones = [server.device(ref=f"iphone-{n}") for n in range(120)]
    androids = [server.registration(ref=f"android-{n}") for n in range(120)]
    dialects = ("mozilla", "google", "apple", "microsoft")
    browsers = [server.subscription(service=dialects[n % 4], ref=f"browser-{n}") for n in range(60)]
    everybody: list[Target | None] = [target for group in zip(phones, androids, strict=True) for target in group]
    everybody += browsers
    accepted = len(everybody)

    def fails(provider: str, category: str, reason: str, count: int) -> None:
        nonlocal accepted
        failures[provider, category, reason] += count
        accepted -= count

    # People who deleted the app.
    week_ago = datetime.now(UTC) - timedelta(days=7)
    for phone in phones[10:18]:
        server.unregister(phone, since=week_ago)
    fails("apns", "recipient", "Unregistered", 8)
    for android in androids[20:32]:
        server.unregister(android)
    fails("fcm", "recipient", "UNREGISTERED", 12)
    server.unregister(browsers[4])
    fails("webpush", "recipient", "errno 106", 1)

    # One that gets too many, and one over its quota: told to wait for longer than anybody does inside a call.
    server.behaviour.to(phones[40]).answer("TooManyRequests")
    fails("apns", "technical", "TooManyRequests", 1)
    server.behaviour.to(androids[40]).answer("QUOTA_EXCEEDED", retry_after=120)
    fails("fcm", "technical", "QUOTA_EXCEEDED", 1)

    # A text that does not fit, on each provider: found before anything is sent.
    flooded = (phones[50], androids[50], browsers[20])
    for target in flooded:
        fails(target.provider, "payload", "payload_too_large", 1)

    # Short outages: a server of Apple's, and Mozilla's service for a moment. All of these are tried again and arrive.
    server.behaviour.apns.next(3).answer("ServiceUnavailable")
    server.behaviour.webpush_service("mozilla").next(6).answer("http_500")

    # Who should not be on the list: a browser that subscribed with another key, a damaged token, an empty row.
    from pushkit.testing.accounts import new_vapid_pair

    everybody.append(server.subscription(service="mozilla", vapid=new_vapid_pair().public_b64, ref="browser-old-key"))
    failures["webpush", "recipient", "VAPID public key mismatch"] += 1
    everybody.append(Device("not a token", ref="iphone-damaged"))
    failures["apns", "recipient", "invalid_token"] += 1
    everybody.append(None)
    failures["", "recipient", "invalid_target"] += 1
    return Scene(
        targets=everybody, flooded=frozenset(target.ref for target in flooded), accepted=accepted, failures=failures, title=title, body=body
    )


async def play(server: PushServer, scene: Scene, *, heard: Callable[[Outcome], object] | None = None, hooks: Iterable[Hook] = ()) -> Report:
    """Send it all through the public interface; ``heard`` is called with each outcome as it comes."""
    report = Report(keep="all")
    async with (
        AsyncClient(
            apns=server.apns_config(),
            fcm=server.fcm_config(),
            webpush=server.webpush_config(),
            ssl_context=server.ssl_context(),
            hooks=hooks,
        ) as push,
        push.stream(scene.message, to=scene.targets) as outcomes,  # type: ignore[arg-type]  # an empty row among the targets is part of the script
    ):
        async for outcome in outcomes:
            report.add(outcome)
            if heard is not None:
                heard(outcome)
        for suspicion in outcomes.report.suspicions:
            report.suspect(suspicion)
    return report


def differences(server: PushServer, scene: Scene, report: Report) -> Sequence[str]:
    """What did not go as scripted: empty when all did."""
    found: list[str] = []
    if report.total != len(scene.targets):
        found.append(f"{len(scene.targets)} pushes have {report.total} outcomes")
    if report.accepted != scene.accepted:
        found.append(f"{report.accepted} were accepted instead of {scene.accepted}")
    seen = Counter((outcome.provider, outcome.category.value, outcome.reason) for outcome in report.failures)
    found += [
        f"{seen[finding]} × {' '.join(finding)} instead of {scene.failures[finding]}"
        for finding in sorted(seen.keys() | scene.failures.keys())
        if seen[finding] != scene.failures[finding]
    ]
    # What the services say, independently of what the client heard.
    arrived = Counter(record.address for record in server.sent if record.accepted)
    twice = sum(1 for count in arrived.values() if count > 1)
    if twice:
        found.append(f"{twice} recipients got it twice")
    if len(arrived) != report.accepted:
        found.append(f"the services took {len(arrived)} pushes and the report says {report.accepted}")
    if report.suspicions:
        found.append(f"the guard suspects {', '.join(event.reason for event in report.suspicions)}")
    if not report.retries:
        found.append("nothing was tried again although two services had an outage")
    return found


def run_demo(*, as_json: bool = False, open_report: bool = False) -> int:
    """The command. Gives the exit status: 0 when everything went as scripted, 1 otherwise."""
    from pushkit.testing import PushServer

    started = time.perf_counter()
    quiet = as_json or not sys.stdout.isatty()
    with PushServer() as server:
        scene = make_scene(server)
        if not as_json:
            print(f"Local push services for Apple, Google and four browsers are up; {len(scene.targets)} notifications go out.\n")
        report = asyncio.run(play(server, scene)) if quiet else _with_progress(server, scene)
        wrong = differences(server, scene, report)
    took = time.perf_counter() - started
    if as_json:
        print(
            json.dumps(
                {"as_scripted": not wrong, "differences": list(wrong), "seconds": took, "report": report.as_dict()}, ensure_ascii=False
            )
        )
    else:
        print(report.to_text(columns=terminal_columns()))
        print()
        for line in wrong:
            print(f"NOT AS SCRIPTED: {line}")
        if not wrong:
            print(f"Everything went as scripted, in {took:.1f} s: {report.retries} retries, nobody got it twice.")
    if open_report:
        _open(report, quiet=as_json)
    return 1 if wrong else 0


def _with_progress(server: PushServer, scene: Scene) -> Report:
    from pushkit.cli.progress import Bar
    from pushkit.cli.words import words_of

    with Bar(words_of("en")) as bar:
        task = bar.add_task("", total=len(scene.targets))

        def heard(outcome: Outcome) -> None:
            bar.count(outcome)
            bar.advance(task)

        return asyncio.run(play(server, scene, heard=heard))


def _open(report: Report, *, quiet: bool) -> None:
    import tempfile
    import webbrowser
    from pathlib import Path

    with tempfile.NamedTemporaryFile("w", prefix="pushkit-demo-", suffix=".html", delete=False, encoding="utf-8") as file:
        file.write(report.to_html(title="pushkit demo"))
    uri: Any = Path(file.name).as_uri()
    if not webbrowser.open(uri) and not quiet:
        print(f"No browser could be opened; the report is {file.name}")
