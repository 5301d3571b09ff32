"""
The words of a report, in the languages that teams read.

A sentence of advice stands in its provider's table; its translation stands beside that table, in
``reasons_zh``. Here is only what a report itself says.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Final, Literal, TypeAlias

import attrs

from pushkit.outcomes import Action, Category
from pushkit.own_reasons import OWN

Language: TypeAlias = Literal["en", "zh"]
"""English or (simplified) Chinese."""


@attrs.frozen(kw_only=True)
class Words:
    """Everything that a report says, as templates for ``str.format``."""

    language: str
    title: str
    headline: str
    pushes: tuple[str, str]
    """One, and any other number."""
    empty: str
    percent: str
    units: tuple[str, str, str, str, str]
    """Milliseconds, seconds, minutes, hours, days."""
    columns: tuple[str, ...]
    """Pushes, accepted, technical, payload, recipient, to topics."""
    all: str
    no_provider: str
    no_label: str
    category: Mapping[Category, str]
    who: Mapping[Category, str]
    has_to_act: str
    lead: str
    followed: str
    action: Mapping[Action, str]
    translated: str
    """How an untranslated sentence is shown: the action's own sentence, and the original."""
    do: Mapping[Action, str]
    may_have_arrived: str
    to_topics: str
    can_be_sent_again: str
    in_fields: str
    details: str
    parens: str
    for_example: str
    comma: str
    space: str
    """Between two sentences."""
    semicolon: str
    more_causes: str
    more_rows: str
    more_labels: str
    more_changes: str
    suspicious: str
    suspicion: str
    latency: str
    retries: str
    footnote: str
    changes: str
    changed: str
    changed_suspiciously: str
    by_category: str
    by_provider: str
    by_campaign: str
    by_cause: str
    over_time: str
    over_time_note: str
    how_long: str
    how_long_note: str
    most: str
    what: str
    how_many: str
    what_to_do: str
    examples: str
    made: str


EN: Final = Words(
    language="en",
    title="Push report",
    headline="{total:,} {pushes}: {accepted:,} accepted ({share}), {failed:,} failed",
    pushes=("push", "pushes"),
    empty="No pushes.",
    percent="{} %",
    units=("ms", "s", "min", "h", "d"),
    columns=("pushes", "accepted", "technical", "payload", "recipient", "to topics"),
    all="all",
    no_provider="(no provider)",
    no_label="(no label)",
    category={Category.TECHNICAL: "Technical", Category.PAYLOAD: "Payload", Category.RECIPIENT: "Recipient"},
    who={
        Category.TECHNICAL: "engineering or operations",
        Category.PAYLOAD: "whoever wrote the message",
        Category.RECIPIENT: "whoever keeps the recipient list",
    },
    has_to_act="{category}: {count:,}. To act: {who}.",
    lead="Main cause: {what}, {count:,} of {failed:,} failures ({share}){followed}. To act: {who}.",
    followed="; {count:,} more followed from it ({reasons})",
    action={
        Action.RETRY_LATER: "retry later",
        Action.REMOVE_RECIPIENT: "remove recipient",
        Action.REVIEW_RECIPIENT: "review recipient",
        Action.RESUBSCRIBE: "resubscribe",
        Action.FIX_PAYLOAD: "fix payload",
        Action.FIX_CREDENTIALS: "fix credentials",
        Action.FIX_CONFIGURATION: "fix configuration",
        Action.REPORT_BUG: "report bug",
    },
    translated="{original}",
    do={},
    may_have_arrived="{count:,} may have been taken all the same",
    to_topics="{count:,} to topics or channels",
    can_be_sent_again="{count:,} can be sent again",
    in_fields="field: {fields}",
    details="details: {detail}",
    parens=" ({})",
    for_example="for example {refs}",
    comma=", ",
    space=" ",
    semicolon="; ",
    more_causes="and {count:,} more, of {kinds:,} other causes",
    more_rows="({count:,} others)",
    more_labels="{count:,} others",
    more_changes="and {count:,} more",
    suspicious="Suspicious: do not remove these recipients before somebody has looked.",
    suspicion="{what}: {share} of {seen:,} pushes failed this way; rather our own configuration than that many recipients",
    latency="Time to acceptance: half within {median}, 99 of 100 within {slow}.",
    retries="Attempts beyond the first: {retries:,}.",
    footnote="Accepted means that the push service took it. No push service tells whether a device showed it.",
    changes="Compared with the earlier report",
    changed="{what}: {before} → {after}{suspicious}",
    changed_suspiciously=": suspicious",
    by_category="What became of them",
    by_provider="By provider",
    by_campaign="By campaign and provider",
    by_cause="By cause",
    over_time="Over time",
    over_time_note="Each column covers {width}; times are UTC.",
    how_long="How long it took until acceptance",
    how_long_note="From taking a push to its acceptance, waits included.",
    most="Most: {count:,} ({where}).",
    what="What happened",
    how_many="How many",
    what_to_do="What to do",
    examples="Examples",
    made="Made by pushkit {version}",
)

ZH: Final = Words(
    language="zh",
    title="推送报告",
    headline="共 {total:,} {pushes}：{accepted:,} 条已接受（{share}），{failed:,} 条失败",
    pushes=("条推送", "条推送"),
    empty="没有推送。",
    percent="{}%",
    units=("毫秒", "秒", "分", "小时", "天"),
    columns=("推送", "已接受", "技术问题", "内容问题", "接收者问题", "发往主题"),
    all="合计",
    no_provider="（无提供商）",
    no_label="（无标签）",
    category={Category.TECHNICAL: "技术问题", Category.PAYLOAD: "内容问题", Category.RECIPIENT: "接收者问题"},
    who={Category.TECHNICAL: "研发或运维", Category.PAYLOAD: "写消息的人", Category.RECIPIENT: "维护接收者名单的人"},
    has_to_act="{category}：{count:,} 条。由{who}处理。",
    lead="主要原因：{what}，{failed:,} 条失败中有 {count:,} 条（{share}）{followed}。由{who}处理。",
    followed="，另有 {count:,} 条因此失败（{reasons}）",
    action={
        Action.RETRY_LATER: "稍后重试",
        Action.REMOVE_RECIPIENT: "移除接收者",
        Action.REVIEW_RECIPIENT: "核查接收者",
        Action.RESUBSCRIBE: "重新订阅",
        Action.FIX_PAYLOAD: "修改内容",
        Action.FIX_CREDENTIALS: "修复凭据",
        Action.FIX_CONFIGURATION: "修复配置",
        Action.REPORT_BUG: "报告缺陷",
    },
    translated="{do}（{original}）",
    do={
        Action.RETRY_LATER: "稍后再发同一条推送。",
        Action.REMOVE_RECIPIENT: "从名单移除此接收者。",
        Action.REVIEW_RECIPIENT: "移除之前先检查我们自己的设置。",
        Action.RESUBSCRIBE: "保留此接收者，请其重新订阅。",
        Action.FIX_PAYLOAD: "修改消息内容后再发。",
        Action.FIX_CREDENTIALS: "修复或更换密钥、证书或账号。",
        Action.FIX_CONFIGURATION: "修改设置。",
        Action.REPORT_BUG: "请报告给 pushkit 维护者。",
    },
    may_have_arrived="{count:,} 条可能已被收下",
    to_topics="{count:,} 条发往主题或频道",
    can_be_sent_again="{count:,} 条可以再发",
    in_fields="字段：{fields}",
    details="详情：{detail}",
    parens="（{}）",
    for_example="例如 {refs}",
    comma="、",
    space="",
    semicolon="；",
    more_causes="另有 {count:,} 条，属于其他 {kinds:,} 种原因",
    more_rows="（其他 {count:,} 项）",
    more_labels="其他 {count:,} 个",
    more_changes="另有 {count:,} 项",
    suspicious="可疑：有人查看之前，不要移除这些接收者。",
    suspicion="{what}：{seen:,} 条推送中有 {share} 因此失败；更可能是我们自己的配置有误，而不是这么多接收者同时失效",
    latency="从发送到被接受的时间：一半不超过 {median}，99% 不超过 {slow}。",
    retries="首次之外的尝试：{retries:,} 次。",
    footnote="“已接受”表示推送服务已收下。没有任何推送服务会告诉我们设备是否显示。",
    changes="与之前的报告相比",
    changed="{what}：{before} → {after}{suspicious}",
    changed_suspiciously="（可疑）",
    by_category="总体结果",
    by_provider="按提供商",
    by_campaign="按活动和提供商",
    by_cause="按原因",
    over_time="随时间的变化",
    over_time_note="每根柱代表 {width}；时间为 UTC。",
    how_long="从发送到被接受的时间",
    how_long_note="从开始处理一条推送到它被接受，包括等待的时间。",
    most="最多 {count:,} 条（{where}）。",
    what="发生了什么",
    how_many="数量",
    what_to_do="怎么办",
    examples="例子",
    made="由 pushkit {version} 生成",
)

_ALL: Final[Mapping[str, Words]] = {"en": EN, "zh": ZH}

_TRANSLATED_PROVIDERS = ("apns", "fcm", "webpush")


def words(language: str) -> Words:
    """
    The words of a language.

    Raises:
        ValueError: for a language that there are no words in.
    """
    found = _ALL.get(language)
    if found is None:
        raise ValueError(f"language={language!r}: expected one of {', '.join(_ALL)}")
    return found


@functools.cache
def _translations(provider: str) -> Mapping[str, str]:
    # By name, since a report knows no provider; a fourth provider's sentences stay in its own language.
    common: Mapping[str, str] = {**import_module("pushkit.faults_zh").ADVICE, **import_module("pushkit.own_reasons_zh").ADVICE}
    if provider not in _TRANSLATED_PROVIDERS:
        return common
    own = import_module(f"pushkit.{provider}.reasons_zh")
    return {**common, **own.ADVICE, **own.NUMBERED}


def advice(provider: str, action: Action, sentence: str, language: str, *, reason: str = "") -> str:
    """A sentence of advice in a language; one without a translation is shown behind what its word, or else its action, says."""
    if language == "en":
        return sentence
    known = _translations(provider)
    translated = _translated(sentence, known)
    if translated is None:
        # A latched credential's advice is its cause's, and a second sentence of delivery's.
        first, _, second = sentence.partition(". ")
        parts = (_translated(f"{first}.", known), _translated(second, known))
        translated = None if None in parts else "".join(part for part in parts if part)
    if translated is not None:
        return translated
    spoken = words(language)
    own = OWN.get(reason)
    return spoken.translated.format(do=known[own.advice] if own is not None else spoken.do[action], original=sentence)


_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def _translated(sentence: str, known: Mapping[str, str]) -> str | None:
    """Word for word; or, since some sentences name sizes and times, with ``{}`` where those stand."""
    found = known.get(sentence)
    if found is not None:
        return found
    pattern = known.get(_NUMBER.sub("{}", sentence))
    return None if pattern is None else pattern.format(*_NUMBER.findall(sentence))
