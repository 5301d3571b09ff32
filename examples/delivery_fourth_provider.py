"""
A provider of your own in sixty lines: a pager service with a small JSON API, delivered like the built-in ones.

The first part is the whole provider. The second runs it against a pager service on this machine.
"""

# ruff: noqa: ARG002 - the seam's arguments

from __future__ import annotations

import json
from typing import ClassVar

import attrs

from pushkit import Action, Category, Disposition, Message, Notification, Scope, Target
from pushkit.faults import judge_fault
from pushkit.provider import Prepared
from pushkit.verdict import Acceptance, Verdict, refuse_payload, refuse_recipient
from pushkit.wire import HeaderBlock, Origin, OriginPolicy, WireFault, WireRequest

# -- the provider: begin


@attrs.frozen(repr=False)
class Pager(Target):
    provider: ClassVar[str] = "pager"
    number: str

    @property
    def address(self) -> str:
        return self.number


class PagerSender:
    provider, credential, attempt_timeout, rate = "pager", None, 10.0, None
    policy = OriginPolicy(protocols=("http/1.1",))
    block = HeaderBlock([(b"content-type", b"application/json")])

    def __init__(self, app: str, url: str) -> None:
        self.app, self.origin = app, Origin.parse(url)
        self.origins = [(self.origin, self.policy, None)]

    def environment(self, target):
        return "pager"

    def prepare(self, message: Message, kind, stamp):
        if not isinstance(message, Notification) or not isinstance(message.body, str):
            return refuse_payload("nothing_to_show", "Give the notification a body: a pager shows nothing else.", field="body")
        return Prepared(message, stamp, replaceable=False)

    def check(self, prepared, target, now):
        return None if target.number.isdigit() else refuse_recipient("invalid_number", "Correct this pager's number: it holds digits only.")

    def address(self, prepared, target, push):
        body = json.dumps({"to": target.number, "text": prepared.message.body, "id": push.push_id}).encode()
        return self.check(prepared, target, push.now) or WireRequest(
            b"POST", self.origin, b"/page", self.block, (), body, push.deadline, policy=self.policy
        )

    def throttle_key(self, target):
        return target.number

    def classify(self, result, request, prepared, target, now):
        if isinstance(result, WireFault):
            return judge_fault(result, {}, 1.0)
        if result.status == 200:
            return Acceptance()
        if result.status == 404:
            return Verdict(category=Category.RECIPIENT, reason="no_such_pager", action=Action.REMOVE_RECIPIENT,
                           disposition=Disposition.REJECTED, advice="Remove this pager: it is out of use.", status=404)  # fmt: skip
        return Verdict(category=Category.TECHNICAL, reason=f"http_{result.status}", action=Action.RETRY_LATER, scope=Scope.ATTEMPT, floor=1.0,
                       disposition=Disposition.REJECTED, advice="Try again later.", status=result.status, retryable=True)  # fmt: skip

    def refresh(self, request):
        """There is no credential."""

    def findings(self, now):
        return []


@attrs.frozen
class PagerProvider:
    url: str
    name: ClassVar[str] = "pager"

    def open(self, app):
        return PagerSender(app, self.url)

    def apps(self):
        return ["default"]


# -- the provider: end

if __name__ == "__main__":
    import http.server
    import threading

    from pushkit import Client

    class Service(http.server.BaseHTTPRequestHandler):
        """Knows every pager but 404, and is busy once for each push to 503."""

        busy: ClassVar[set[str]] = set()

        def do_POST(self) -> None:
            page = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = 404 if page["to"] == "404" else 200
            if page["to"] == "503" and page["id"] not in self.busy:
                self.busy.add(page["id"])
                status = 503
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{service.server_port}"
    with Client(providers=[PagerProvider(url)]) as push:
        report = push.send_many(Notification(body="Come to the ward."), to=[Pager("1"), Pager("404"), Pager("503"), Pager("x")])
    service.shutdown()
    service.server_close()
    for outcome in report.outcomes:
        print(outcome)
    assert [outcome.accepted for outcome in report.outcomes] == [True, False, True, False]
    assert len(report.outcomes[2].attempts) == 2
