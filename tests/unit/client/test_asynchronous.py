"""The asynchronous client's own matters: loops, arguments, health, imports."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from tests.unit.delivery.support import Phone, Scripted, Toy, ToySender, Words, client, phones, run

from pushkit import AsyncClient, ClientClosedError, ConfigurationError
from pushkit.health import Level

PUSH = Words(text="hi")


def test_importing_pushkit_is_light():
    """import pushkit loads no event loop, TLS, HTTP client or cryptography."""
    script = "import sys, pushkit; print(sorted({'asyncio', 'ssl', 'httpx', 'cryptography', 'backoff', 'h2', 'ngh2'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "[]" == out.strip()


def test_a_client_belongs_to_its_loop():
    """A second event loop is told to make its own client."""
    push = client(Scripted(200))
    run(push.send(PUSH, to=Phone("1")))

    with pytest.raises(ClientClosedError, match="another event loop"):
        run(push.send(PUSH, to=Phone("1")))


def test_a_stream_outside_of_a_loop_is_told():
    """Calling stream without a loop says what to use instead."""
    with pytest.raises(RuntimeError, match=r"pushkit\.Client"):
        client(Scripted(200)).stream(PUSH, to=[])


def test_a_closed_client_says_so():
    """A send after aclose raises with the mend."""

    async def work():
        push = client(Scripted(200))
        await push.aclose()
        await push.send(PUSH, to=Phone("1"))

    with pytest.raises(ClientClosedError, match="make a new one"):
        run(work())


async def coroutine(_event): ...


class Awaited:
    async def __call__(self, event): ...


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"apns": object()}, r"apns\.Config"),
        ({"retry": 3}, "RetryPolicy"),
        ({"max_in_flight": 0}, "at least 1"),
        ({"hooks": print}, "list of callables"),
        ({"hooks": ["x"]}, "callable"),
        ({"hooks": [coroutine]}, "called, not awaited; wrap it: .*AsyncListener"),
        ({"hooks": [Awaited()]}, "coroutine function Awaited"),
        ({"providers": [object()]}, "open"),
        ({"providers": [Toy(), Toy()]}, "unique"),
        ({"http2_engine": "nghttp3"}, "ngh2"),
        ({"transport": Scripted(), "proxy": "http://localhost:3128"}, "contradict"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, said):
    """A wrong argument raises when the client is made, and says what is expected."""
    with pytest.raises(ConfigurationError, match=said):
        AsyncClient(**arguments)


def test_the_environment_chooses_the_engine(monkeypatch):
    """PUSHKIT_HTTP2_ENGINE replaces "auto" and is checked like the argument."""
    monkeypatch.setenv("PUSHKIT_HTTP2_ENGINE", "spdy")

    with pytest.raises(ConfigurationError, match="PUSHKIT_HTTP2_ENGINE"):
        AsyncClient()
    AsyncClient(http2_engine="h2")


def test_health_shows_the_moment():
    """A working client is usable; its senders and table sizes are listed, and as_dict is JSON-ready."""
    import json

    async def work():
        async with client(Scripted(200)) as push:
            before = push.health()
            await push.send_many(PUSH, to=phones(3))
            return before, push.health()

    before, after = run(work())

    assert before.usable
    assert [("toy", "default", 1.0)] == [(sender.provider, sender.app, sender.budget) for sender in after.senders]
    assert "toy" in json.dumps(after.as_dict())


def test_verify_lists_findings():
    """verify tells about credentials and connections of every known app."""

    async def work():
        async with client(Scripted(200)) as push:
            return await push.verify(), await push.connect()

    verified, connected = run(work())

    assert [("credentials", Level.OK), ("connection", Level.OK)] == [(finding.subject, finding.level) for finding in verified]
    assert ["connection"] == [finding.subject for finding in connected]


def test_verify_tells_about_an_app_that_cannot_be_opened():
    """A configuration that raises is a finding, not an exception."""

    def broken(app):
        raise ConfigurationError("the key is no key")

    async def work():
        async with client(Scripted(200), Toy(broken)) as push:
            return await push.verify()

    (finding,) = run(work())

    assert (Level.ERROR, "configuration") == (finding.level, finding.subject)
    assert "the key is no key" in finding.message


def test_forget_opens_the_app_anew():
    """After forget the next push asks the provider again."""

    async def work():
        toy = Toy(lambda app: ToySender(app, pool_key=app))
        transport = Scripted(200)
        async with client(transport, toy) as push:
            await push.send(PUSH, to=Phone("1"))
            dropped = push.forget("default")
            await push.send(PUSH, to=Phone("1"))
            return dropped, len(toy.senders), transport.forgotten

    assert (1, 2, ["default"]) == run(work())


def test_cancelling_send_many_cancels_its_pushes():
    """A cancelled send_many leaves nothing under way, and its outcomes go to the hooks."""
    heard = []

    async def work():
        transport = Scripted(None)
        push = client(transport, hooks=[heard.append], max_in_flight=10)
        task = asyncio.ensure_future(push.send_many(PUSH, to=phones(100)))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return transport, task.cancelled()

    transport, cancelled = run(work())
    finished = [event for event in heard if type(event).__name__ == "Finished"]

    assert cancelled
    assert 0 == len(transport.flights)
    assert [False] * 10 == [event.read for event in finished]


def test_the_repr_shows_no_configuration():
    """A client's repr names its providers and nothing else."""
    assert "<AsyncClient toy>" == repr(client(Scripted(200)))
