from __future__ import annotations

import attrs
import pytest

from pushkit import ConfigurationError
from pushkit.apps import ConfigSource


@attrs.frozen
class Config:
    name: str


ONE, TWO = Config("one"), Config("two")


def source(configured: object) -> ConfigSource[Config]:
    return ConfigSource(configured, Config, "toy")  # type: ignore[arg-type]  # wrong ones are tried here


def test_one_config_is_the_default_apps() -> None:
    """Most people have one app and never name it."""
    assert ONE == source(ONE).get("default")
    assert source(ONE).get("other") is None


def test_a_mapping_names_the_apps() -> None:
    """Several apps, each with its own."""
    apps = source({"a": ONE, "b": TWO})

    assert TWO == apps.get("b")
    assert ("a", "b") == apps.apps()


def test_a_mapping_is_read_once() -> None:
    """What is put into it later is not found: what changes while the program runs is a callable's."""
    apps = {"a": ONE}
    found = source(apps)
    apps["b"] = TWO

    assert found.get("b") is None


def test_an_empty_mapping_is_refused_with_the_mend() -> None:
    """No push could ever be sent, and each would say so one by one."""
    with pytest.raises(ConfigurationError, match=r"toy=: the mapping is empty.* a callable app -> toy\.Config \| None"):
        source({})


def test_an_app_whose_name_is_no_text_is_refused() -> None:
    """No target could name it."""
    with pytest.raises(ConfigurationError, match="a int as the name of an app; expected text"):
        source({5: ONE})


def test_a_callable_is_asked_for_each_app() -> None:
    """A service that adds tenants while it runs."""
    apps = source({"a": ONE}.get)

    assert ONE == apps.get("a")
    assert apps.get("b") is None
    assert () == apps.apps()


@pytest.mark.parametrize("wrong", [None, "config", 5, [ONE]])
def test_anything_else_is_refused_with_the_mend(wrong: object) -> None:
    """The message says what was seen and what was expected."""
    with pytest.raises(ConfigurationError, match=rf"toy=: it is a {type(wrong).__name__}; expected toy\.Config, a mapping"):
        source(wrong)


def test_a_wrong_value_in_a_mapping_is_refused_at_once() -> None:
    """It names the app."""
    with pytest.raises(ConfigurationError, match="the value for app 'b' is a str"):
        source({"a": ONE, "b": "key.p8"})


def test_a_wrong_answer_of_a_callable_is_refused_when_it_comes() -> None:
    """It names the app, and not what was answered: that may be a key."""
    with pytest.raises(ConfigurationError, match="the resolver's answer for app 'a' is a str") as caught:
        source(lambda app: "-----BEGIN").get("a")

    assert "BEGIN" not in str(caught.value)
