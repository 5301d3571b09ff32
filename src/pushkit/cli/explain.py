"""``explain``: what an answer of a push service means, who has to act and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from pushkit.cli.handbook import OWN, PROVIDERS, SOURCES, WHO, Entry, body_with, find, judge, own_verdicts, read_response
from pushkit.errors import ConfigurationError
from pushkit.outcomes import Action, Category, Disposition
from pushkit.report.words import advice, words
from pushkit.verdict import Acceptance, Verdict


@attrs.frozen(kw_only=True)
class _Spoken:
    """What the explanation itself says, beside the tables' sentences."""

    accepted: str
    do: str
    arrived: str
    again: str
    concerns: str
    at_night: str
    it_says: str
    others: str
    source: str
    got_it: Mapping[Disposition, str]
    scopes: Mapping[str, str]
    suspicion: str
    never: str
    at_once: str
    seconds: str
    minutes: str


_EN = _Spoken(
    accepted="accepted. The push service took it; no push service tells whether a device showed it.",
    do="do           ",
    arrived="did it arrive",
    again="try again    ",
    concerns="concerns     ",
    at_night="at night     ",
    it_says="it says      ",
    others="The table also has:",
    source="Source:",
    got_it={
        Disposition.NOT_SENT: "It never got there: sending again cannot make a duplicate.",
        Disposition.REJECTED: "The push service refused it.",
        Disposition.UNKNOWN: "It may have arrived all the same: sending again can show it twice.",
    },
    scopes={
        "attempt": "this attempt alone",
        "throttle": "how much is sent",
        "credential": "every push with this key",
        "configuration": "every push like this one",
    },
    suspicion=(
        "Many of these at once are rather a mistake of our own (environment, app id, project, key) than that many dead recipients: "
        "look at the configuration before removing anybody."
    ),
    never="no, not unchanged",
    at_once="at once",
    seconds="after {0:g} seconds at the earliest",
    minutes="after {0:g} minutes at the earliest",
)

_ZH = _Spoken(
    accepted="已接受。推送服务已收下；没有任何推送服务会告诉我们设备是否显示。",
    do="怎么办  ",
    arrived="到了吗  ",
    again="能重试吗",
    concerns="涉及    ",
    at_night="夜里提醒",
    it_says="对方说  ",
    others="表中还有：",
    source="来源：",
    got_it={
        Disposition.NOT_SENT: "没有到达推送服务：再发不会重复。",
        Disposition.REJECTED: "推送服务拒绝了它。",
        Disposition.UNKNOWN: "可能已经到达：再发可能会显示两次。",
    },
    scopes={
        "attempt": "只涉及这一次尝试",
        "throttle": "发送的数量",
        "credential": "使用此密钥的所有推送",
        "configuration": "所有这样的推送",
    },
    suspicion="如果同时大量出现，更可能是我们自己的错误（环境、应用标识、项目、密钥），而不是这么多接收者都失效：移除任何人之前先检查配置。",
    never="不能，除非先修改",
    at_once="可以立即重试",
    seconds="最早 {0:g} 秒之后",
    minutes="最早 {0:g} 分钟之后",
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
        "advice_zh": advice(provider, verdict.action, verdict.advice, "zh", reason=verdict.reason),
        "detail": verdict.detail,
    }


def as_text(explained: dict[str, Any], language: str = "en") -> str:
    """The same for a terminal."""
    verdict = explained["verdict"]
    say = _ZH if language == "zh" else _EN
    where = " ".join(str(part) for part in (explained["provider"], explained["service"], explained["status"] or "") if part)
    if verdict["accepted"]:
        return f"{where}: {say.accepted}"
    spoken = words(language)
    category = Category(verdict["category"])
    lines = [
        f"{where} {verdict['reason']}",
        "",
        f"  {spoken.category[category]}: {spoken.who[category]}",
        f"  {verdict['advice_zh'] if language == 'zh' else verdict['advice']}",
        "",
        f"  {say.do} {spoken.action[Action(verdict['action'])]}",
        f"  {say.arrived} {say.got_it[Disposition(verdict['disposition'])]}",
        f"  {say.again} {_again(verdict, say)}",
    ]
    if verdict["scope"]:
        lines.append(f"  {say.concerns} {say.scopes[verdict['scope']]}")
    if verdict["suspicion"]:
        lines.append(f"  {say.at_night} {say.suspicion}")
    meanings = [row["meaning"] for row in explained["rows"] if row["meaning"] and row["reason"] == verdict["reason"]]
    if meanings:
        lines.append(f"  {say.it_says} {meanings[0]}")
    others = [row for row in explained["rows"] if row["advice"] != verdict["advice"]]
    if others:
        lines += ["", f"  {say.others}"]
        for row in others[:8]:
            name = " ".join(str(part) for part in (row["service"], row["status"], row["reason"]) if part)
            lines.append(
                f"    {name}: {advice(explained['provider'], Action(row['action']), row['advice'], language, reason=row['reason'])}"
            )
    lines += ["", f"  {say.source} {explained['source']}"]
    return "\n".join(lines)


def _again(verdict: dict[str, Any], say: _Spoken) -> str:
    if not verdict["retryable"]:
        return say.never
    floor = verdict["retry_after_s"] if verdict["retry_after_s"] is not None else verdict["floor_s"]
    if not floor:
        return say.at_once
    return say.seconds.format(floor) if floor < 120 else say.minutes.format(floor / 60)
