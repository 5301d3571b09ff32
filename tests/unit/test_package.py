"""The package as a user meets it: names, weight, version, types."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import pushkit

NAMES = {
    "pushkit": """AsyncClient Client Notification Localized Sound Priority InterruptionLevel Accepted TechnicalFailure PayloadFailure RecipientFailure
        Outcome Failure Category Disposition Action Scope Attempt Report RetryPolicy Hook Health Finding Target Message Provider PushError TechnicalError
        PayloadError RecipientError ConfigurationError ClientClosedError apns fcm webpush""",
    "pushkit.apns": """Config Environment TokenKey Certificate Device ActivityToken StartToken Channel Push Background Voip Complication LiveActivityStart
        LiveActivityUpdate LiveActivityEnd WidgetsRefresh ControlsRefresh LocationQuery PushToTalk FileProviderSignal MdmWakeUp Options""",
    "pushkit.fcm": """Config ServiceAccount MetadataServer StaticToken GoogleAuth Registration Installation Topic Condition Message AndroidConfig
        AndroidNotification AndroidConfigV2 ApnsConfig WebpushConfig Options""",
    "pushkit.webpush": """Config VapidKey Subscription Message Declarative Options Urgency topic_from EndpointPolicy encrypt decrypt""",
    "pushkit.testing": "FakeClient AsyncFakeClient PushServer FakeClock",
}
HEAVY = {"asyncio", "ssl", "httpx", "cryptography", "backoff", "h2", "ngh2", "google", "typer", "rich", "_ssl"}


@pytest.mark.parametrize("module", NAMES)
def test_the_promised_names_are_there(module: str) -> None:
    """Each can be imported, and is in a sorted ``__all__``."""
    package = importlib.import_module(module)
    promised = set(NAMES[module].split())

    assert set() == promised - set(package.__all__)
    assert sorted(package.__all__) == list(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("module", ["pushkit", "pushkit.report", "pushkit.apns", "pushkit.fcm", "pushkit.webpush"])
def test_importing_is_light(module: str) -> None:
    """No event loop, TLS, HTTP or cryptography before the first client."""
    code = f"import sys, json; before = set(sys.modules); import {module}; print(json.dumps(sorted({{n.split('.')[0] for n in set(sys.modules) - before}})))"
    done = subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert set() == HEAVY & set(json.loads(done.stdout))


def test_importing_does_nothing() -> None:
    """No logging set-up, no environment read: a NullHandler at the most."""
    code = "import os, logging; os.environ = None; import pushkit; print(logging.root.handlers, logging.getLogger('pushkit').level)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)

    assert "[] 0\n" == done.stdout, done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with every module."""
    with pytest.raises(AttributeError, match="has no attribute 'Clinet'"):
        pushkit.Clinet  # noqa: B018


def test_the_version_is_that_of_the_distribution() -> None:
    """``pushkit-sdk``, since the name pushkit is somebody else's."""
    assert metadata.version("pushkit-sdk") == pushkit.__version__


def test_type_checkers_are_told() -> None:
    """PEP 561."""
    assert (Path(pushkit.__file__).parent / "py.typed").is_file()


def test_no_console_script_is_called_pushkit() -> None:
    """That one belongs to somebody else's project."""
    scripts = {point.name for point in metadata.distribution("pushkit-sdk").entry_points if point.group == "console_scripts"}

    assert {"pushkit-sdk"} == scripts
