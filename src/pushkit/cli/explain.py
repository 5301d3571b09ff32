"""``explain``: what an answer of a push service means, who has to act and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pushkit.cli.handbook import OWN, PROVIDERS, SOURCES, WHO, Entry, body_with, find, judge, own_verdicts, read_response
from pushkit.errors import ConfigurationError
from pushkit.outcomes import Disposition
from pushkit.report.words import advice, words
from pushkit.verdict import Acceptance, Verdict

GOT_IT = {
    Disposition.NOT_SENT: "It never got there: sending again cannot make a duplicate.",
    Disposition.REJECTED: "The push service refused it.",
    Disposition.UNKNOWN: "It may have arrived all the same: sending again can show it twice.",
}
SUSPICION = (
    "Many of these at once are rather a mistake of our own (environment, app id, project, key) than that many dead recipients: "
    "look at the configuration before removing anybody."
)


def explain(provider: str, terms: Sequence[str], *, raw: str | None = None, service: str = "rfc") -> dict[str, Any]:
    """
    Everything about an answer, JSON-ready.

    Args:
        provider: ``"apns"``, ``"fcm"`` or ``"webpush"``.
        terms: a status, a reason, or both; a push service's name for Web Push.
        raw: a whole response, or its body, as pasted.
        service: Web Push: whose answer it is, where ``raw`` is given.

    Raises:
        ConfigurationError: for another provider, or terms that say nothing.
    """
    if provider not in {*PROVIDERS, OWN}:
        raise ConfigurationError(f"expected one of {', '.join((*PROVIDERS, OWN))}, got {provider!r}")
    if raw is None and (own := [verdict for _, verdict in own_verdicts() if [verdict.reason] == list(terms)]):
        # Of a word with two fates, the uncertain one comes first: it is the one to be careful with.
        return _explained(provider, None, own[0], list(find(OWN, terms)), source=SOURCES[OWN][1])
    if provider == OWN:
        raise ConfigurationError(f"pushkit has no word {' '.join(terms)!r} of its own; see the page of its reasons, or name the provider")
    status, fields, body = read_response(raw) if raw is not None else (None, [], b"")
    statuses = [int(term) for term in terms if term.isascii() and term.isdigit()]
    status = statuses[0] if statuses else status
    words_given = [term for term in terms if not (term.isascii() and term.isdigit())]
    services = [term.lower() for term in words_given if provider == "webpush" and term.lower() in _SERVICES]
    words_given = [term for term in words_given if term.lower() not in services]
    service = services[0] if services else service
    rows = list(find(provider, [*terms])) if terms and raw is None else []
    if status is None and rows:
        status = rows[0].status
    if raw is None and words_given:
        body = body_with(provider, " ".join(words_given))
    if raw is None and not rows and status is None:
        raise ConfigurationError(
            f"no row of {provider}'s table has {' '.join(terms)!r}; give a status too (such as 400), or paste the whole response with --raw -"
        )
    verdict = judge(provider, status if status is not None else 400, body, fields, service=service)
    return _explained(provider, status, verdict, rows, source=SOURCES[provider][1], service=service if provider == "webpush" else "")


def _explained(
    provider: str, status: int | None, verdict: Verdict | Acceptance, rows: Sequence[Entry], *, source: str, service: str = ""
) -> dict[str, Any]:
    return {
        "provider": provider,
        "service": service,
        "status": status,
        "verdict": _verdict(provider, verdict),
        "rows": [row.as_dict() for row in rows],
        "source": source,
    }


_SERVICES = frozenset({"mozilla", "google", "apple", "microsoft", "rfc"})


def _verdict(provider: str, verdict: Verdict | Acceptance) -> dict[str, Any]:
    if isinstance(verdict, Acceptance):
        return {"accepted": True}
    return {
        "accepted": False,
        "category": verdict.category.value,
        "reason": verdict.reason,
        "action": verdict.action.value,
        "disposition": verdict.disposition.value,
        "scope": verdict.scope.value if verdict.scope else None,
        "retryable": verdict.retryable,
        "floor_s": verdict.floor,
        "retry_after_s": verdict.retry_after,
        "suspicion": verdict.suspicion,
        "who": WHO[verdict.category],
        "advice": verdict.advice,
        "advice_zh": advice(provider, verdict.action, verdict.advice, "zh"),
        "detail": verdict.detail,
    }


def as_text(explained: dict[str, Any], language: str = "en") -> str:
    """The same for a terminal."""
    verdict = explained["verdict"]
    where = " ".join(str(part) for part in (explained["provider"], explained["service"], explained["status"] or "") if part)
    if verdict["accepted"]:
        return f"{where}: accepted. The push service took it; no push service tells whether a device showed it."
    spoken = words(language)
    from pushkit.outcomes import Action, Category

    category = Category(verdict["category"])
    lines = [
        f"{where} {verdict['reason']}",
        "",
        f"  {spoken.category[category]}: {spoken.who[category]}",
        f"  {verdict['advice_zh'] if language == 'zh' else verdict['advice']}",
        "",
        f"  do            {spoken.action[Action(verdict['action'])]}",
        f"  did it arrive {GOT_IT[Disposition(verdict['disposition'])]}",
        f"  try again     {_again(verdict)}",
    ]
    if verdict["scope"]:
        lines.append(f"  concerns      {_SCOPES[verdict['scope']]}")
    if verdict["suspicion"]:
        lines.append(f"  at night      {SUSPICION}")
    meanings = [row["meaning"] for row in explained["rows"] if row["meaning"] and row["reason"] == verdict["reason"]]
    if meanings:
        lines.append(f"  it says       {meanings[0]}")
    others = [row for row in explained["rows"] if row["advice"] != verdict["advice"]]
    if others:
        lines += ["", "  The table also has:"]
        lines += [
            f"    {row['service']} {row['status'] or ''} {row['reason']}: {row['advice']}".replace("     ", "    ") for row in others[:8]
        ]
    lines += ["", f"  Source: {explained['source']}"]
    return "\n".join(lines)


_SCOPES = {
    "attempt": "this attempt alone",
    "throttle": "how much is sent",
    "credential": "every push with this key",
    "configuration": "every push like this one",
}


def _again(verdict: dict[str, Any]) -> str:
    if not verdict["retryable"]:
        return "no, not unchanged"
    floor = verdict["retry_after_s"] if verdict["retry_after_s"] is not None else verdict["floor_s"]
    if not floor:
        return "at once"
    return f"after {floor:g} seconds at the earliest" if floor < 120 else f"after {floor / 60:g} minutes at the earliest"
