"""What ``verify()`` and the doctor can say about a project's configuration without the network."""

from __future__ import annotations

from collections.abc import Iterator

from pushkit.fcm.config import DEFAULT_IID_ORIGIN, DEFAULT_ORIGIN, PROJECT_RATE, Config
from pushkit.fcm.credentials import CallableToken, ServiceAccount, StaticToken
from pushkit.fcm.google import GoogleAuth
from pushkit.health import Finding, Level

_SMALLEST_KEY = 2048


def findings(config: Config, app: str, now: float) -> Iterator[Finding]:  # noqa: ARG001 - no key of Google's has an end that it tells
    """Everything worth saying, good and bad."""

    def found(level: Level, subject: str, message: str, mend: str = "") -> Finding:
        return Finding(level=level, provider="fcm", app=app, subject=subject, message=message, mend=mend)

    credentials = config.credentials
    if isinstance(credentials, ServiceAccount):
        yield found(Level.OK, "credentials", f"service account {credentials.client_email}")
        if credentials.key_bits < _SMALLEST_KEY:
            yield found(
                Level.WARNING,
                "credentials",
                f"its RSA key has {credentials.key_bits} bits",
                "make a new key in the Firebase console; Google's own have 2048",
            )
        if credentials.project_id is not None and config.project_id not in {None, credentials.project_id}:
            yield found(
                Level.WARNING,
                "project",
                f"messages go to project {config.project_id}, the account belongs to {credentials.project_id}",
                f"grant the account the role Firebase Cloud Messaging API Admin in {config.project_id}, or correct project_id",
            )
    elif isinstance(credentials, StaticToken):
        yield found(
            Level.WARNING,
            "credentials",
            "a static access token, which lives an hour at the most",
            "use ServiceAccount, MetadataServer, GoogleAuth or a callable for anything that runs longer",
        )
    elif isinstance(credentials, GoogleAuth):
        yield found(Level.OK, "credentials", f"google-auth: {type(credentials.credentials).__name__}")
    elif isinstance(config.source, CallableToken):
        yield found(Level.OK, "credentials", "a callable of your own")
    else:
        yield found(Level.OK, "credentials", "the metadata server of this machine")
    project = config.project
    yield found(Level.OK, "project", f"project {project}" if project else "the metadata server tells the project")
    if config.origin not in {None, DEFAULT_ORIGIN}:
        yield found(Level.OK, "origin", f"messages go to {config.origin}")
    if config.iid_origin != DEFAULT_IID_ORIGIN:
        yield found(Level.OK, "origin", f"the old topic service is at {config.iid_origin}")
    if config.rate is None or config.rate > PROJECT_RATE:
        yield found(
            Level.WARNING,
            "rate",
            "no limit of our own" if config.rate is None else f"{config.rate:g} pushes a second",
            f"Google's default quota is 600 000 a minute ({PROJECT_RATE:g} a second); keep rate at your project's quota",
        )
