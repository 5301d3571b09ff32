"""The calls that the documentation promises, for both clients: names, arguments, defaults, and a docstring for each."""

from __future__ import annotations

import inspect

import pytest

from pushkit import AsyncClient, Client, RetryPolicy

EMPTY = inspect.Parameter.empty
CONSTRUCTOR = {
    "apns": None,
    "fcm": None,
    "webpush": None,
    "providers": (),
    "retry": RetryPolicy(),
    "hooks": (),
    "max_in_flight": 1000,
    "proxy": None,
    "ssl_context": None,
    "http2_engine": "auto",
    "transport": None,
}
PROMISED = {
    "send": {"message": EMPTY, "to": EMPTY, "retry": None, "dry_run": False},
    "send_many": {"message": EMPTY, "to": EMPTY, "retry": None, "unique": False},
    "stream": {"message": EMPTY, "to": EMPTY, "retry": None, "ordered": False, "unique": False},
    "resume": {"failures": EMPTY},
    "check": {"message": EMPTY, "to": EMPTY},
    "verify": {},
    "connect": {},
    "health": {},
    "forget": {"app": EMPTY},
    "confirm_suspects": {},
    "channels": {"app": "default"},
    "topics": {"app": "default"},
    "close": {"grace": 10.0},
}
POSITIONAL = {"self", "message", "failures", "app", "grace"}
AWAITED = {"send", "send_many", "verify", "connect", "close"}


@pytest.mark.parametrize("client", [AsyncClient, Client])
@pytest.mark.parametrize("call", PROMISED)
def test_a_promised_call_is_there(client, call):
    """The call takes what is promised with the promised defaults, the rest by keyword alone, and says in words what it does."""
    there = getattr(client, "aclose" if client is AsyncClient and call == "close" else call)
    parameters = inspect.signature(there).parameters

    assert PROMISED[call] == {name: parameters[name].default for name in PROMISED[call]}
    for name, parameter in parameters.items():
        assert (parameter.kind is not inspect.Parameter.KEYWORD_ONLY) == (name in POSITIONAL)
    assert not [name for name in parameters if name not in {"self", *PROMISED[call]} and parameters[name].default is EMPTY]
    assert (inspect.getdoc(there) or "").rstrip()
    assert (client is AsyncClient and call in AWAITED) == inspect.iscoroutinefunction(there)


@pytest.mark.parametrize("client", [AsyncClient, Client])
def test_the_constructor_takes_what_is_promised(client):
    """Keywords alone, with the promised defaults, and each is explained."""
    parameters = dict(inspect.signature(client).parameters)

    assert CONSTRUCTOR == {name: parameter.default for name, parameter in parameters.items()}
    assert {inspect.Parameter.KEYWORD_ONLY} == {parameter.kind for parameter in parameters.values()}
    assert not [name for name in CONSTRUCTOR if f"\n    {name}: " not in (inspect.getdoc(client) or "")]


@pytest.mark.parametrize("client", [AsyncClient, Client])
def test_a_client_is_a_context_manager(client):
    """``async with`` for one, ``with`` for the other, and neither for both."""
    asynchronous = {"__aenter__", "__aexit__"}
    synchronous = {"__enter__", "__exit__"}

    assert (client is AsyncClient) == (asynchronous <= set(vars(client)))
    assert (client is Client) == (synchronous <= set(vars(client)))
