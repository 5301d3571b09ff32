"""What Apple is asked by ``verify()`` and the doctor: are the credentials believed, and does a token belong here?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pushkit.apns.kinds import Environment
from pushkit.apns.messages.device import Background
from pushkit.apns.targets import Device
from pushkit.health import Finding, Level
from pushkit.outcomes import Accepted, Failure
from pushkit.provider import Examination, Probe
from pushkit.targets import Target

if TYPE_CHECKING:
    from pushkit.apns.sender import ApnsSender

PROBE_TOKEN = "00" * 32
"""A well-formed token that no device has: Apple refuses it as BadDeviceToken, and only after it has believed the credentials."""

_BELIEVED = frozenset({"BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic"})
_AT_HOME = frozenset({"Unregistered", "ExpiredToken", "DeviceTokenNotForTopic"})
"""Refusals that Apple gives only to a token of the environment that was asked."""

_BUILDS = (
    "builds that Xcode installs register in the sandbox, TestFlight and the App Store in production: "
    "correct environment= in the configuration, or give each Device its own"
)


class _Examiner:
    """One app's questions."""

    def __init__(self, sender: ApnsSender) -> None:
        self._app = sender.app
        self._sender = sender

    def _finding(self, level: Level, subject: str, message: str, mend: str = "") -> Finding:
        return Finding(level=level, provider="apns", app=self._app, subject=subject, message=message, mend=mend)

    def credentials(self) -> Examination:
        """One probe for each environment that has credentials."""
        found: list[Finding] = []
        for environment in self._sender.config.named_credentials():
            if self._sender.route(environment) is None:
                continue
            outcome = yield Probe(message=Background(ttl=0), target=Device(PROBE_TOKEN, environment=environment, app=self._app))
            if isinstance(outcome, Accepted):
                how = "a token that no device has was accepted, so this is a local push service"
            elif outcome.reason in _BELIEVED:
                how = f"the token that no device has was refused as {outcome.reason}"
            else:
                found.append(Finding.of(outcome, "probe"))
                continue
            found.append(self._finding(Level.OK, "probe", f"the credentials are believed in {environment.value} ({how})"))
        return found

    def recipient(self, device: Target) -> Examination:
        """Whether a device can be reached from here; where it cannot, whether it can from Apple's other environment."""
        if not isinstance(device, Device):
            what = f"a {type(device).__name__} cannot be asked about without showing something"
            return [self._finding(Level.WARNING, "recipient", what, "pass an apns.Device")]
        here = device.environment or self._sender.config.environment
        outcome = yield Probe(message=Background(ttl=0), target=device)
        if isinstance(outcome, Accepted):
            return [
                self._finding(Level.OK, "recipient", f"Apple takes pushes for this device ({here.value}, topic {self._sender.bundle_id})")
            ]
        if outcome.reason != "BadDeviceToken":
            return [self._refused(outcome, here)]
        elsewhere = Environment.SANDBOX if here is Environment.PRODUCTION else Environment.PRODUCTION
        routes = self._sender.route(here), self._sender.route(elsewhere)
        if None in routes or len({route.device for route in routes if route}) == 1:
            what = f"Apple does not know this token in {here.value}; {elsewhere.value} could not be asked (no credentials or host for it)"
            return [self._finding(Level.ERROR, "environment", what, _BUILDS)]
        other = yield Probe(message=Background(ttl=0), target=attrs.evolve(device, environment=elsewhere))
        if isinstance(other, Accepted) or other.reason in _AT_HOME:
            return [
                self._finding(
                    Level.ERROR, "environment", f"this token belongs to {elsewhere.value}, and it was sent to {here.value}", _BUILDS
                )
            ]
        if other.reason != "BadDeviceToken":
            return [
                self._finding(
                    Level.ERROR,
                    "environment",
                    f"Apple does not know this token in {here.value}; asked in {elsewhere.value}, it answered {other.reason}",
                    _BUILDS,
                )
            ]
        return [
            self._finding(
                Level.ERROR,
                "recipient",
                "Apple knows this token in neither of its environments",
                "compare it with what the app got: cut off, changed in storage, or a token of something else",
            )
        ]

    def _refused(self, outcome: Failure, here: Environment) -> Finding:
        if outcome.reason == "DeviceTokenNotForTopic":
            return self._finding(
                Level.ERROR,
                "topic",
                f"this token belongs to another app than {self._sender.bundle_id}",
                "set topic= to the bundle id of the app that registered it",
            )
        if outcome.reason == "Unregistered":
            return self._finding(
                Level.WARNING,
                "recipient",
                f"the app is no longer on this device ({here.value}), which proves nothing about the others",
                "ask about another one",
            )
        return Finding.of(outcome, "recipient")


def examine(sender: ApnsSender) -> Examination:
    """Prove the credentials, with a token that no device has."""
    return _Examiner(sender).credentials()


def examine_recipient(sender: ApnsSender, target: Target) -> Examination:
    """Ask about one device; it gets a background push that shows nothing."""
    return _Examiner(sender).recipient(target)
