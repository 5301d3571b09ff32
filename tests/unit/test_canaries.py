"""The catcher itself: a net with holes would make every leak test pass."""

from __future__ import annotations

import base64
import logging
import urllib.parse

import attrs
import pytest
from tests.canaries import Canaries, LeakCatcher


def caught(canaries: Canaries, act) -> list[str]:
    with LeakCatcher(canaries) as catcher:
        act(catcher)
    return catcher.found()


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda text: urllib.parse.quote(text, safe=""),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
    ],
)
def test_a_secret_is_found_in_every_spelling(canaries: Canaries, spell) -> None:
    """Quoting or encoding a secret does not hide it from the catcher."""
    found = caught(canaries, lambda _: logging.getLogger("some.dependency").debug("GET %s", spell(canaries.endpoint_path)))

    assert [line for line in found if line.startswith("endpoint_path in log record of some.dependency")]


def test_a_quiet_logger_is_heard(canaries: Canaries) -> None:
    """A logger that was set to WARNING before is caught at DEBUG, and set back afterwards."""
    logger = logging.getLogger("a.quiet.one")
    logger.setLevel(logging.WARNING)

    found = caught(canaries, lambda _: logger.debug(canaries.title))

    assert found
    assert logging.WARNING == logger.level


def test_a_logger_that_keeps_to_itself_is_heard(canaries: Canaries) -> None:
    """``propagate = False`` keeps records from the root's handlers, not from the catcher; set back afterwards."""
    logger = logging.getLogger("a.lonely.one")
    logger.propagate = False

    found = caught(canaries, lambda _: logger.info(canaries.title))

    assert found
    assert not logger.propagate


def test_extra_fields_are_looked_at(canaries: Canaries) -> None:
    """What a JSON formatter would print counts as printed."""
    found = caught(canaries, lambda _: logging.getLogger("x").info("sent", extra={"to": canaries.device_token}))

    assert found


def test_a_repr_is_looked_at(canaries: Canaries) -> None:
    """An attrs class with an unmasked field is found."""

    @attrs.frozen
    class Careless:
        token: str

    found = caught(canaries, lambda catcher: catcher.see(Careless(canaries.device_token)))

    assert [line for line in found if "repr of a Careless" in line]


def test_a_jwt_and_a_private_key_are_found_without_being_canaries(canaries: Canaries) -> None:
    """Signed tokens and keys are recognised by their shape."""
    jwt = "bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJURUFNIn0.c2lnbmF0dXJl"

    assert caught(canaries, lambda catcher: catcher.see_text("here", jwt)) == ["a JWT in here"]
    assert caught(canaries, lambda catcher: catcher.see_text("here", "-----BEGIN PRIVATE KEY-----")) == ["a private key in here"]


def test_locals_of_pushkits_frames_are_looked_at(canaries: Canaries) -> None:
    """A secret in a local variable of our own code shows in error trackers, so it counts."""
    code = compile("def send(token):\n    raise ValueError('no')\n", "/somewhere/pushkit/careless.py", "exec")
    module: dict = {}
    exec(code, module)
    with pytest.raises(ValueError, match="no") as caught_error:
        module["send"](canaries.device_token)

    found = caught(canaries, lambda catcher: catcher.see_exception(caught_error.value))

    assert [line for line in found if "locals of /somewhere/pushkit/careless.py" in line]


def test_the_causes_of_an_exception_are_looked_at(canaries: Canaries) -> None:
    """A cause that quotes a secret is printed with the exception, so it counts."""
    error = RuntimeError("no")
    error.__cause__ = ValueError(canaries.auth)

    assert caught(canaries, lambda catcher: catcher.see_exception(error))
