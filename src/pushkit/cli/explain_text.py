"""What ``explain`` found, as text for a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pushkit.outcomes import Action, Category, Disposition
from pushkit.report.spelling import width
from pushkit.report.words import words


@attrs.frozen(kw_only=True)
class Spoken:
    """What the explanation itself says, beside the tables' sentences."""

    colon: str
    comma: str
    semicolon: str
    accepted: str
    do: str
    arrived: str
    again: str
    concerns: str
    at_night: str
    it_says: str
    many: str
    not_there: str
    similar: str
    own_rule: str
    looks_like: str
    also: str
    others: str
    more: str
    source: str
    got_it: Mapping[Disposition, str]
    scopes: Mapping[str, str]
    suspicion: str
    never: str
    later: str
    at_once: str
    second: str
    seconds: str
    minutes: str


_EN = Spoken(
    colon=": ",
    comma=", ",
    semicolon="; ",
    accepted="accepted. The push service took it; no push service tells whether a device showed it.",
    do="do",
    arrived="did it arrive",
    again="try again",
    concerns="concerns",
    at_night="at night",
    it_says="it says",
    many="many at once",
    not_there="This word is not in the table; it is judged by its status.",
    similar=" Similar words: {0}.",
    also="The same word is also said by: {0}.",
    others="The table also has:",
    more="and {0} more",
    looks_like="This looks like an answer of {0}; if it is: explain {0} --raw -",
    own_rule="a rule of pushkit's own",
    source="Source: ",
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
        "Rather a mistake of our own (environment, app id, project, key) than that many dead recipients: "
        "look at the settings before removing anybody."
    ),
    never="no, not unchanged",
    later="later; the outcome's retry_at says when",
    at_once="at once",
    second="after a second at the earliest",
    seconds="after {0:g} seconds at the earliest",
    minutes="after {0:g} minutes at the earliest",
)

_ZH = Spoken(
    colon="：",
    comma="、",
    semicolon="；",
    accepted="已接受。推送服务已收下；没有任何推送服务会告诉我们设备是否显示。",
    do="怎么办",
    arrived="到了吗",
    again="能重试吗",
    concerns="涉及",
    at_night="值班提示",
    it_says="对方说",
    many="大量出现",
    not_there="表中没有这个词；按状态码判断。",
    similar="相近的词：{0}。",
    also="同一个词也见于：{0}。",
    others="表中还有：",
    more="另有 {0} 条",
    looks_like="这看起来像 {0} 的响应；如果是：explain {0} --raw -",
    own_rule="pushkit 自己的规则",
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
    suspicion="更可能是我们自己的错误（环境、应用标识、项目、密钥），而不是这么多接收者都失效：移除任何人之前先检查设置。",
    never="不能，除非先修改",
    later="稍后；时间见结果的 retry_at",
    at_once="可以立即重试",
    second="最早 1 秒之后",
    seconds="最早 {0:g} 秒之后",
    minutes="最早 {0:g} 分钟之后",
)


def headline(row: Mapping[str, Any], language: str) -> str:
    """Category, and who has to act."""
    spoken, category = words(language), Category(row["category"])
    return f"{spoken.category[category]}{spoken_by(language).colon}{spoken.who[category]}"


def facts(verdict: Mapping[str, Any], row: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """
    What there is to know about an answer, as names and sentences: the same in the terminal and in the documentation.

    Args:
        verdict: what such an answer comes to (``explain``'s ``"verdict"``, or a row as JSON-ready values).
        row: the row that it was made from, as JSON-ready values; empty: none.
        language: ``"en"`` or ``"zh"``.
    """
    say = spoken_by(language)
    own = "_zh" if language == "zh" else ""
    found = [
        (say.do, words(language).action[Action(verdict["action"])]),
        (say.arrived, say.got_it[Disposition(verdict["disposition"])]),
        (say.again, _again(verdict, say)),
    ]
    if verdict["scope"]:
        found.append((say.concerns, say.scopes[verdict["scope"]]))
    if row.get(f"meaning{own}"):
        found.append((say.it_says, row[f"meaning{own}"]))
    if row:
        found.append((say.at_night, row[f"night{own}"]))
    if verdict["suspicion"]:
        found.append((say.many, say.suspicion))
    return found


def spoken_by(language: str) -> Spoken:
    """What the explanation itself says in a language."""
    return _ZH if language == "zh" else _EN


def as_text(explained: dict[str, Any], language: str = "en") -> str:
    """The same for a terminal."""
    verdict, say = explained["verdict"], spoken_by(language)
    where = " ".join(str(part) for part in (explained["provider"], explained["service"], explained["status"] or "") if part)
    if verdict["accepted"]:
        return f"{where}: {say.accepted}"
    row: dict[str, Any] = explained["row"] or {}
    named = facts(verdict, row, language)
    longest = max(width(name) for name, _ in named)
    lines = [
        f"{where} {verdict['reason']}",
        "",
        f"  {headline(verdict, language)}",
        f"  {verdict['advice_zh' if language == 'zh' else 'advice']}",
        "",
        *(f"  {name}{' ' * (longest - width(name))} {text}" for name, text in named),
    ]
    if not explained["in_table"]:
        similar = say.similar.format(say.comma.join(explained["similar"])) if explained["similar"] else ""
        lines += ["", f"  {say.not_there}{similar}"]
    if explained["looks_like"]:
        lines += ["", f"  {say.looks_like.format(explained['looks_like'])}"]
    if explained["also"]:
        lines += ["", f"  {say.also.format(say.comma.join(explained['also']))}"]
    lines += _others(explained, say, language)
    if row:
        source = f"{explained['source_title']} {explained['source']}" if explained["source"] else say.own_rule
        lines += ["", f"  {say.source}{source}"]
    return "\n".join(lines)


_LISTED = 12
"""Rows; the documentation has all."""


def _others(explained: dict[str, Any], say: Spoken, language: str) -> list[str]:
    others = explained["rows"][1:]
    if not others:
        return []
    lines = ["", f"  {say.others}"]
    advice = "advice_zh" if language == "zh" else "advice"
    lines += [f"    {row['name']}{say.colon}{row[advice]}" for row in others[:_LISTED]]
    return [*lines, f"    {say.more.format(len(others) - _LISTED)}"] if len(others) > _LISTED else lines


def _again(verdict: Mapping[str, Any], say: Spoken) -> str:
    if not verdict["retryable"]:
        return say.never
    if verdict["delay_varies"]:
        return say.later
    asked = verdict.get("retry_after_s")
    others = [f"{provider}{say.colon}{_after(floor, say)}" for provider, floor in verdict["floors_s"].items()]
    return say.semicolon.join([_after(verdict["floor_s"] if asked is None else asked, say), *others])


def _after(floor: float, say: Spoken) -> str:
    if not floor:
        return say.at_once
    if floor == 1:
        return say.second
    return say.seconds.format(floor) if floor < 120 else say.minutes.format(floor / 60)
