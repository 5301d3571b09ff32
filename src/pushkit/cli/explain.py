"""``explain``: what an answer of a push service means, who has to act and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, Final

import attrs

from pushkit.cli.handbook import OWN, PROVIDERS, WHO, Entry, body_with, entries, find, judge, row_of
from pushkit.cli.pasted import Pasted, read
from pushkit.errors import ConfigurationError
from pushkit.report.words import advice
from pushkit.secret import MASK, clean
from pushkit.verdict import Acceptance, Verdict

_SERVICES: Final = ("mozilla", "google", "apple", "microsoft", "rfc")


def explain(provider: str | None, terms: Sequence[str], *, raw: str | None = None, service: str = "") -> dict[str, Any]:
    """
    Everything about an answer, JSON-ready.

    Args:
        provider: ``"apns"``, ``"fcm"``, ``"webpush"``, ``"pushkit"`` for its own words; another word, or None, is
            taken for the first term, and the provider told from the rest.
        terms: a status, a reason, or both; a push service's name for Web Push.
        raw: a whole response, its body, a log line or an exception's text, as pasted.
        service: Web Push: whose answer it is; ``""``: as far as it can be told.

    Raises:
        ConfigurationError: for another provider or service, or terms that say nothing.
    """
    if service and service not in _SERVICES:
        raise ConfigurationError(f"--service: expected one of {', '.join(_SERVICES)}, got {_shown(service)!r}")
    terms = [term for given in terms for term in given.split()]
    pasted = read(raw) if raw is not None else None
    if provider is not None and provider.lower() in {*PROVIDERS, OWN}:
        provider = provider.lower()
        if pasted is not None and not pasted.reason and not pasted.structured:
            pasted = _with_word(pasted, (provider, OWN))
    else:
        terms = [*([provider] if provider else []), *terms]
        if pasted is not None and not pasted.reason and not pasted.structured:
            pasted = _with_word(pasted, (*PROVIDERS, OWN))
        provider = (_provider_of(pasted) if pasted else "") or _provider_that_says(terms)
    if provider == "webpush":
        named = [term.lower() for term in terms if term.lower() in _SERVICES]
        service = service or next(iter(named), "")
        terms = [term for term in terms if term.lower() not in _SERVICES]
    if pasted is not None:
        return _explain_pasted(provider, terms, pasted, service)
    return _explain_terms(provider, terms, service)


def _explain_pasted(provider: str, terms: Sequence[str], pasted: Pasted, service: str) -> dict[str, Any]:
    own = _own_rows(provider, [pasted.reason]) if pasted.reason else []
    if provider == OWN or (own and pasted.status is None):
        if not own:
            raise ConfigurationError("found none of pushkit's own words in it; name the provider whose answer it is")
        return _explained(OWN, own[0], own)
    rows = _named(provider, pasted.reason)
    status = next((int(term) for term in terms if _is_number(term)), pasted.status)
    if status is None and rows:
        status = rows[0].status
    if status is None and not rows:
        hint = (
            f"it looks like an answer of {pasted.provider}: explain {pasted.provider} --raw -"
            if pasted.provider not in {"", provider}
            else f"give the status too, such as: explain {provider} 410 --raw -"
        )
        raise ConfigurationError(f"found neither a status nor a known word in it; {hint}")
    if provider == "webpush" and not service:
        service = pasted.service or next(iter({row.service for row in rows}), "")
        service = service or ("apple" if pasted.reason else "")
    body = pasted.body
    if rows and not pasted.structured:
        body = body_with(provider, _spelt(rows, pasted.reason), body.decode("utf-8", "replace"))
    explained = _judged(provider, status if status is not None else 400, body, pasted.fields, service, rows)
    return explained | {"looks_like": _looks_like(provider, pasted, explained)}


def _explain_terms(provider: str, terms: Sequence[str], service: str) -> dict[str, Any]:
    terms = _joined(terms)
    rows = list(find(provider, [*terms, *([service] if service else [])])) if terms else []
    if not rows and provider == "webpush" and len(terms) == 1 and _is_number(terms[0]):
        # Mozilla's own number, or a status that this service has no row of its own for.
        rows = list(find(provider, [f"errno {terms[0]}"]))
        terms = [rows[0].reason] if rows else terms
    if provider == OWN or not rows:
        own = _own_rows(provider, terms)
        if own:
            return _explained(OWN, own[0], own, reason=terms[0])
    if provider == OWN:
        said = _shown(" ".join(terms))
        raise ConfigurationError(
            f"pushkit has no word {said!r} of its own{_similar_hint(terms, OWN)}"
            if said
            else "give one of its words, such as: explain timeout"
        )
    numbers = [int(term) for term in terms if _is_number(term)]
    said = " ".join(term for term in terms if not _is_number(term))
    if not rows and not numbers:
        if not said:
            raise ConfigurationError("give a status or a reason, such as: explain apns 410 Unregistered; or --raw with the whole response")
        raise ConfigurationError(f"no row of {provider}'s table has {_shown(said)!r}{_similar_hint(terms, provider)}")
    if not all(100 <= number <= 599 for number in numbers):
        raise ConfigurationError(f"expected an HTTP status from 100 to 599, got {numbers[0]}")
    status = numbers[0] if numbers else rows[0].status
    if not service and said and rows:
        services = {row.service for row in rows}
        service = services.pop() if len(services) == 1 else ""
    exact = _spelt(rows, said)
    body = body_with(provider, exact) if said else b""
    return _judged(provider, status if status is not None else 400, body, (), service, rows, said=exact)


def _judged(
    provider: str,
    status: int,
    body: bytes,
    fields: Sequence[tuple[bytes, bytes]],
    service: str,
    rows: Sequence[Entry],
    *,
    said: str = "",
) -> dict[str, Any]:
    """By the function that judges real answers; where the words name a row that an answer alone cannot, by that row."""
    verdict = judge(provider, status, body, fields, service=service or "rfc")
    if isinstance(verdict, Acceptance):
        if rows and said:
            return _explained(provider, rows[0], rows)
        return _explained(provider, None, rows, status=status, service=service if provider == "webpush" else "")
    row = row_of(provider, service or "rfc", status, verdict)
    if said and rows and row not in rows:
        return _explained(provider, rows[0], rows)
    known = bool(rows) or not said or (row is not None and row.reason == verdict.reason)
    similar = [] if known else _similar(said, provider)
    return _explained(provider, row, rows, verdict=verdict, status=status, service=service, known=known, similar=similar)


def _explained(
    provider: str,
    row: Entry | None,
    rows: Sequence[Entry],
    *,
    verdict: Verdict | None = None,
    status: int | None = None,
    service: str = "",
    reason: str = "",
    known: bool = True,
    similar: Sequence[str] = (),
) -> dict[str, Any]:
    others = [other for other in rows if row is not None and other.advice != row.advice]
    return {
        "provider": provider,
        "service": service or (row.service if row else ""),
        "status": status if status is not None or row is None else row.status,
        "verdict": _of_verdict(provider, verdict) if verdict else _of_row(row, reason) if row else {"accepted": True},
        "row": row.as_dict() if row else None,
        "rows": [found.as_dict() for found in ([row] if row else []) + others],
        "in_table": known,
        "looks_like": "",
        "similar": list(similar),
        "also": _also(provider, row) if row else [],
        "source": row.source.url if row else "",
        "source_title": row.source.title if row else "",
    }


def _of_row(row: Entry, reason: str) -> dict[str, Any]:
    return {
        "accepted": False,
        "category": row.category.value,
        # Google's sign-in service has more words than a table: they share a row.
        "reason": _shown(reason) if row.reason.endswith("…") and reason else row.reason,
        "action": row.action.value,
        "disposition": row.disposition.value,
        "scope": row.scope.value if row.scope else None,
        "retryable": row.floor is not None,
        "floor_s": row.floor,
        "floors_s": dict(row.floors),
        "delay_varies": row.varies,
        "retry_after_s": None,
        "suspicion": row.suspicion,
        "who": row.who,
        "advice": row.advice,
        "advice_zh": row.advice_zh,
        "detail": "",
    }


def _of_verdict(provider: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "accepted": False,
        "category": verdict.category.value,
        "reason": _shown(verdict.reason),
        "action": verdict.action.value,
        "disposition": verdict.disposition.value,
        "scope": verdict.scope.value if verdict.scope else None,
        "retryable": verdict.retryable,
        "floor_s": verdict.floor,
        "floors_s": {},
        "delay_varies": False,
        "retry_after_s": verdict.retry_after,
        "suspicion": verdict.suspicion,
        "who": WHO[verdict.category],
        "advice": verdict.advice,
        "advice_zh": advice(provider, verdict.action, verdict.advice, "zh", reason=verdict.reason),
        "detail": _shown(verdict.detail, limit=500),
    }


# -- words


def _own_rows(provider: str, terms: Sequence[str]) -> list[Entry]:
    """
    The rows of a word of pushkit's own; what this provider says with it before what another one does.

    Of a word with two fates, the uncertain one comes first: it is the one to be careful with.
    """
    if not terms:
        return []
    asked = provider.replace("webpush", "web push")
    others = {"apns", "fcm", "web push"} - {asked}
    rows = [
        attrs.evolve(row, floor=dict(row.floors).get(provider, row.floor), floors=()) if provider != OWN else row
        for row in find(OWN, terms)
    ]
    return sorted(rows, key=lambda row: (asked not in row.evidence) + any(other in row.evidence for other in others))


def _joined(terms: Sequence[str]) -> list[str]:
    """``errno 109`` is one word; ``http_502`` is a status."""
    joined: list[str] = []
    for term in terms:
        if joined and joined[-1].lower() == "errno" and _is_number(term):
            joined[-1] = f"errno {term}"
        elif term.lower().startswith("http_") and _is_number(term[5:]):
            joined.append(term[5:])
        else:
            joined.append(term)
    return joined


def _is_number(term: str) -> bool:
    return term.isascii() and term.isdigit() and len(term) < 10


def _reasons(provider: str) -> list[str]:
    return list(dict.fromkeys(row.reason for row in entries(provider) if not row.reason.startswith("http_")))


def _similar(said: str, provider: str) -> list[str]:
    known = {reason.lower(): reason for reason in _reasons(provider)}
    return [known[near] for near in difflib.get_close_matches(said.lower()[:100], known, n=3, cutoff=0.6)]


def _similar_hint(terms: Sequence[str], provider: str) -> str:
    """What was meant, perhaps: a word of this provider's, or the very word with another one."""
    for term in terms:
        elsewhere = [other for other in (*PROVIDERS, OWN) if other != provider and term.lower() in map(str.lower, _reasons(other))]
        if elsewhere:
            return f"; it is a word of {' and '.join(elsewhere)}: explain {elsewhere[0]} {term}"
        if near := _similar(term, provider):
            return f"; did you mean {' or '.join(near)}?"
    return "; give a status too (such as 400), or paste the whole response with --raw -"


def _named(provider: str, reason: str) -> list[Entry]:
    """The rows of a reason; firebase-admin's exceptions leave a last _ERROR out."""
    if not reason:
        return []
    return list(find(provider, [reason]) or find(provider, [f"{reason}_ERROR"]))


def _spelt(rows: Sequence[Entry], said: str) -> str:
    """A word as the provider spells it."""
    known = [word for row in rows for word in (row.reason, *row.words)]
    return next((word for word in known if word.lower() in {said.lower(), f"{said}_error".lower()}), said)


_WORD = re.compile(r"[A-Za-z][A-Za-z_]{5,60}", re.ASCII)


def _with_word(pasted: Pasted, providers: Sequence[str]) -> Pasted:
    """With the first word of the text that is in a table, letter for letter. Of our own words: those that prose does not use."""
    known = {provider: set(_reasons(provider)) for provider in providers}
    if OWN in known:
        known[OWN] = {word for word in known[OWN] if "_" in word or word == "timeout"}
    for word in _WORD.findall(pasted.body.decode("utf-8", "replace")):
        for provider, reasons in known.items():
            if word in reasons:
                return attrs.evolve(pasted, reason=word, provider=pasted.provider or provider)
    return pasted


def _looks_like(provider: str, pasted: Pasted, explained: dict[str, Any]) -> str:
    """Another provider whose answer this rather is; empty: none."""
    if explained["verdict"]["accepted"] or pasted.reason in _reasons(provider):
        return ""
    if pasted.reason:
        return next((other for other in PROVIDERS if pasted.reason in _reasons(other)), "")
    vague = explained["verdict"]["reason"].startswith("http_")
    return pasted.provider if vague and pasted.provider != provider else ""


def _provider_of(pasted: Pasted) -> str:
    if pasted.provider:
        return pasted.provider
    return next((each for each in (OWN, *PROVIDERS) if pasted.reason and pasted.reason in _reasons(each)), "")


def _provider_that_says(terms: Sequence[str]) -> str:
    said = [term for term in _joined(terms) if not _is_number(term)]
    if not said:
        if not terms:
            raise ConfigurationError(f"whose answer is it? Name one of {', '.join((*PROVIDERS, OWN))}, such as: explain apns --raw -")
        raise ConfigurationError(f"{terms[0]} means something else with each provider; name it, such as: explain apns {terms[0]}")
    for same in (str, str.lower):  # the word as it is written first: apns says Unregistered, fcm UNREGISTERED
        for provider in (OWN, *PROVIDERS):
            if any(same(term) in map(same, _reasons(provider)) for term in said):
                return provider
    if find(OWN, said[:1]):
        return OWN
    if any(term.lower() in _SERVICES[:-1] for term in said):
        return "webpush"
    near = next(((each, found[0]) for each in (*PROVIDERS, OWN) if (found := _similar(said[0], each))), None)
    hint = f"; did you mean {near[0]} {near[1]}?" if near else ""
    raise ConfigurationError(f"expected one of {', '.join((*PROVIDERS, OWN))}, got {_shown(said[0])!r}{hint}")


def _also(provider: str, row: Entry) -> list[str]:
    """Others whose tables have the very word."""
    if row.reason.startswith("http_"):
        return []
    found = [f"{other} {each.name}" for other in PROVIDERS if other != provider for each in entries(other) if each.reason == row.reason]
    return found[:4]


_TOKEN = re.compile(r"(?=[^\s]*[0-9])[A-Za-z0-9_\-+/=:.%~]{20,}|[A-Za-z0-9_\-+/=]{48,}")
"""What is long and holds digits is no word: a token, a key, an endpoint's path, a JWT."""


def _shown(text: str, *, limit: int = 100) -> str:
    """Somebody's text, fit to be shown: pasted answers can hold tokens."""
    return clean(_TOKEN.sub(MASK, text[:4096]), limit=limit)
