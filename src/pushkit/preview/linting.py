"""What would be refused, cut, hidden or ignored on the way to the person, before anybody gets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import attrs

from pushkit.message_checks import first_look
from pushkit.messages import Message
from pushkit.notification import Notification
from pushkit.preview import payloads
from pushkit.preview.case import Case, Effect, Finding, mapping
from pushkit.preview.fitting import Fitted, fit, harmless
from pushkit.preview.looks import carrier, chosen_platforms, chosen_providers, content
from pushkit.preview.mapping import BROWSERS, COLUMNS, LOCALIZED, PROVIDERS, TABLE, localized_fields, says
from pushkit.preview.payloads import Content
from pushkit.preview.rules import rules_for
from pushkit.preview.screens import Picture, Screen
from pushkit.preview.wording import wording
from pushkit.secret import clean
from pushkit.verdict import Verdict


@attrs.frozen(kw_only=True)
class LintWarning:
    """One thing that a person would not see, or that would not be sent. Never holds the message's text."""

    effect: Effect
    provider: str
    """``"apns"``, ``"fcm"`` or ``"webpush"``."""
    platform: str | None = None
    """One of ``pushkit.preview.SCREENS``, or ``"browsers"`` for all of them; None for all that the provider reaches."""
    field: str | None = None
    """In the caller's terms."""
    message: str
    """What happens."""
    mend: str = ""
    """What to do about it; empty where it is a matter of taste."""
    approximate: bool = False
    """Whether it rests on a limit that no vendor documents."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return attrs.asdict(self) | {"effect": self.effect.value}

    @property
    def where(self) -> str:
        """Provider and, where it is about one, platform."""
        return self.provider if self.platform is None else f"{self.provider}/{self.platform}"

    def line(self, where: str) -> str:
        """As one line that names these places."""
        field = f" {self.field}:" if self.field else ""
        about = " (approximate)" if self.approximate else ""
        mend = f" {self.mend}" if self.mend else ""
        return clean(f"{self.effect.value}: {where}:{field} {self.message}{about}{mend}", limit=2000)

    def __str__(self) -> str:
        return self.line(self.where)


def together(warnings: Iterable[LintWarning]) -> list[tuple[LintWarning, str]]:
    """Each thing once, with all the places where it happens."""
    found: dict[LintWarning, list[str]] = {}
    for warning in warnings:
        found.setdefault(attrs.evolve(warning, provider="", platform=None), []).append(warning.where)
    return [(warning, ", ".join(dict.fromkeys(places))) for warning, places in found.items()]


_ORDER = {effect: place for place, effect in enumerate(Effect)}


def lint(
    message: Message, providers: Iterable[str] | None = None, platforms: Iterable[str] | None = None, *, now: datetime | None = None
) -> list[LintWarning]:
    """
    Say what would be lost of a message, worst first.

    It asks each provider's own checks (what they refuse is refused when sending, for the same reason), the
    mapping table, rules about each platform's habits, and the platforms' approximate room. It does not look
    at recipients.

    Args:
        message: a ``pushkit.Notification``, or a provider's own message.
        providers: some of ``"apns"``, ``"fcm"``, ``"webpush"``; None for all that the message can go to.
        platforms: some of ``pushkit.preview.SCREENS``; None for all that these providers reach. Each is reached
            through its own provider where that is among them, else through FCM.
        now: when it is to be sent (aware), for what expires; None for this moment.

    Raises:
        TypeError: when it is no message.
        ValueError: for a provider or a platform that does not exist.
    """
    if not isinstance(message, Message):
        raise TypeError(f"expected a pushkit.Notification or a provider's message, found a {type(message).__name__}")
    chosen = chosen_providers(message, providers)
    screens = chosen_platforms(platforms)
    found: list[LintWarning] = []
    for provider in chosen:
        reached = [screen for screen in screens if carrier(message, screen, chosen) == provider]
        if reached or platforms is None:
            found += _lint_for(message, provider, reached, now or datetime.now(UTC))
    return sorted(found, key=lambda warning: (_ORDER[warning.effect], PROVIDERS.index(warning.provider)))


def _lint_for(message: Message, provider: str, screens: Sequence[Screen], now: datetime) -> Iterator[LintWarning]:
    refusal = _refusal(message, provider)
    if isinstance(refusal, Verdict):
        yield _refused(refusal, provider)
        return
    platforms = frozenset(BROWSERS if screen.browser else screen.key for screen in screens)
    payload, size = refusal
    if isinstance(message, Notification):
        yield from _mapped(message, provider, platforms)
    case = Case(message=message, provider=provider, platforms=platforms, payload=payload, size=size, now=now)
    for rule, platform in rules_for(case):
        for said in rule(case):
            yield _warning(said, provider, platform)
    worded: set[tuple[str, str]] = set()
    for screen in screens:
        shown = content(message, screen, provider)
        if isinstance(shown, Content) and shown.shown:
            yield from _on_screen(shown, screen, provider)
            yield from (_warning(said, provider) for said in _worded(shown, worded))


def _worded(shown: Content, seen: set[tuple[str, str]]) -> Iterator[Finding]:
    """What the words themselves say; what another screen shows as well is looked at once."""
    for field, text in (("title", shown.title), ("subtitle", shown.subtitle), ("body", shown.body)):
        if (field, text) not in seen:
            seen.add((field, text))
            yield from wording(field, text)
            if field == "title" and not harmless(text).strip() and harmless(shown.subtitle + shown.body).strip():
                yield Finding(effect=Effect.NOTE, field="title", message="is empty: the app's or the site's name stands in its place.")


def _refused(refusal: Verdict, provider: str) -> LintWarning:
    said = refusal.detail.removeprefix(f"{refusal.field}: ")
    if not said or said in refusal.advice:
        said = "cannot be sent"  # the advice says all of it
    return LintWarning(
        effect=Effect.REFUSED,
        provider=provider,
        field=refusal.field,
        message=said if said.endswith(".") else f"{said}.",
        mend=refusal.advice,
    )


def _refusal(message: Message, provider: str) -> tuple[dict[str, Any], int] | Verdict:
    """What is sent, as JSON and in bytes; or why it is not."""
    problem = first_look(message)
    if isinstance(problem, Verdict):
        return problem
    ask: dict[str, Callable[[Message], Any]] = {
        "apns": payloads.apns_payload,
        "fcm": payloads.fcm_payload,
        "webpush": payloads.webpush_payload,
    }
    sent = ask[provider](message)
    if isinstance(sent, Verdict):
        return sent
    if isinstance(sent, dict):
        return cast("dict[str, Any]", sent), 0
    try:
        return mapping(json.loads(sent or b"null")), len(sent or b"")
    except (ValueError, RecursionError):
        return {}, len(sent)


def _warning(said: Finding, provider: str, platform: str | None = None) -> LintWarning:
    return LintWarning(
        effect=said.effect,
        provider=provider,
        platform=said.platform or platform,
        field=said.field,
        message=said.message,
        mend=said.mend,
        approximate=said.approximate,
    )


def _mapped(notification: Notification, provider: str, platforms: frozenset[str]) -> Iterator[LintWarning]:
    """What the table says of the fields that are set."""
    columns = [
        (name, column.platform)
        for name, column in COLUMNS.items()
        if column.provider == provider and (column.platform is None or column.platform in platforms)
    ]
    for row in TABLE:
        if row.field in _NEVER_LOST or not says(notification, row.field):
            continue
        fields = localized_fields(notification) if row.field == LOCALIZED else [row.field]
        for name, platform in columns:
            cell = row.cell(name)
            for field in fields:
                if cell.lost and (cell.when is None or cell.when(notification)):
                    yield LintWarning(effect=cell.effect, provider=provider, platform=platform, field=field, message=cell.lost)
                if cell.app:
                    yield LintWarning(effect=Effect.NEEDS_APP, provider=provider, platform=platform, field=field, message=cell.app)


_NEVER_LOST = frozenset({"label", "key", "ttl", "data"})


def _on_screen(shown: Content, screen: Screen, provider: str) -> Iterator[LintWarning]:
    for field, text, room in (
        ("title", shown.title.replace("\n", " "), screen.title),
        ("subtitle", shown.subtitle.replace("\n", " ") if screen.subtitle is not None else "", screen.subtitle or screen.title),
    ):
        fitted = fit(text, room)
        if fitted.cut:
            yield _cut(field, fitted, screen, provider, rest="the rest is never shown", approximate=room.approximate)
    body, opened = fit(shown.body, screen.body), fit(shown.body, screen.opened)
    if opened.cut:
        rest = f"after opening it {opened.kept}; the rest is never shown" if opened.kept > body.kept else "the rest is never shown"
        yield _cut("body", body, screen, provider, rest=rest, approximate=screen.opened.approximate)
    elif body.cut:
        yield _cut("body", body, screen, provider, rest="the rest after opening it", approximate=screen.body.approximate)
    if shown.picture and screen.picture is Picture.HIDDEN:
        yield LintWarning(
            effect=Effect.HIDDEN,
            provider=provider,
            platform=screen.key,
            field="image",
            message=f"{screen.name} shows no picture.",
            approximate=True,
        )
    if len(shown.actions) > screen.actions and screen.browser:
        yield LintWarning(
            effect=Effect.HIDDEN,
            provider=provider,
            platform=screen.key,
            field="actions",
            message=f"{screen.name} shows {screen.actions or 'none'} of {len(shown.actions)} buttons.",
            approximate=True,
        )


def _cut(field: str, fitted: Fitted, screen: Screen, provider: str, *, rest: str, approximate: bool) -> LintWarning:
    return LintWarning(
        effect=Effect.CUT,
        provider=provider,
        platform=screen.key,
        field=field,
        message=f"{screen.name} ({screen.where}) shows {fitted.kept} of {fitted.total} characters, {rest}.",
        approximate=approximate,
    )
