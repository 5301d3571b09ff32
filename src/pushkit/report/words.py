"""
The words of a report, in the languages that teams read.

A sentence of advice stands in its provider's table; its translation stands beside that table, in
``reasons_zh``. Here is only what a report itself says.
"""

from __future__ import annotations

import functools
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
    empty: str
    columns: tuple[str, ...]
    """Pushes, accepted, technical, payload, recipient, to topics."""
    all: str
    no_provider: str
    category: Mapping[Category, str]
    who: Mapping[Category, str]
    has_to_act: str
    action: Mapping[Action, str]
    translated: str
    """How an untranslated sentence is shown: the action's own sentence, and the original."""
    do: Mapping[Action, str]
    may_have_arrived: str
    to_topics: str
    can_be_sent_again: str
    for_example: str
    comma: str
    suspicious: str
    suspicion: str
    latency: str
    footnote: str
    changes: str
    changed: str
    changed_suspiciously: str
    by_category: str
    by_provider: str
    by_cause: str
    over_time: str
    over_time_note: str
    how_long: str
    how_long_note: str
    times: str
    what: str
    how_many: str
    what_to_do: str
    examples: str
    made: str


EN: Final = Words(
    language="en",
    title="Push report",
    headline="{total:,} pushes: {accepted:,} accepted ({share}), {failed:,} failed",
    empty="No pushes.",
    columns=("pushes", "accepted", "technical", "payload", "recipient", "to topics"),
    all="all",
    no_provider="(no provider)",
    category={Category.TECHNICAL: "Technical", Category.PAYLOAD: "Payload", Category.RECIPIENT: "Recipient"},
    who={
        Category.TECHNICAL: "engineering or operations",
        Category.PAYLOAD: "whoever wrote the message",
        Category.RECIPIENT: "whoever keeps the recipient list",
    },
    has_to_act="{category}: {count:,}. To act: {who}.",
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
    for_example="for example {refs}",
    comma=", ",
    suspicious="Suspicious: do not remove these recipients before somebody has looked.",
    suspicion="{where} {reason}: {share} of {seen:,} pushes failed this way; rather our own configuration than that many recipients",
    latency="Time to acceptance: half within {median}, 99 of 100 within {slow}; {retries:,} retries.",
    footnote="Accepted means that the push service took it. No push service tells whether a device showed it.",
    changes="Compared with the earlier report",
    changed="{what}: {before} → {after}",
    changed_suspiciously="{what}: {before} → {after}: suspicious",
    by_category="What became of them",
    by_provider="By provider",
    by_cause="By cause",
    over_time="Over time",
    over_time_note="each column covers {width}; times are UTC",
    how_long="How long it took until acceptance",
    how_long_note="seconds from taking a push to its acceptance, waits included",
    times="times",
    what="What happened",
    how_many="How many",
    what_to_do="What to do",
    examples="Examples",
    made="Made by pushkit {version}",
)

ZH: Final = Words(
    language="zh",
    title="推送报告",
    headline="共 {total:,} 条推送：{accepted:,} 条已接受（{share}），{failed:,} 条失败",
    empty="没有推送。",
    columns=("推送", "已接受", "技术", "内容", "接收者", "发往主题"),
    all="合计",
    no_provider="（无提供商）",
    category={Category.TECHNICAL: "技术", Category.PAYLOAD: "内容", Category.RECIPIENT: "接收者"},
    who={Category.TECHNICAL: "研发或运维", Category.PAYLOAD: "写消息的人", Category.RECIPIENT: "维护接收者名单的人"},
    has_to_act="{category}：{count:,} 条。由{who}处理。",
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
    may_have_arrived="其中 {count:,} 条可能已被收下",
    to_topics="其中 {count:,} 条发往主题或频道",
    can_be_sent_again="其中 {count:,} 条可以再发",
    for_example="例如 {refs}",
    comma="、",
    suspicious="可疑：有人查看之前，不要移除这些接收者。",
    suspicion="{where} {reason}：{seen:,} 条推送中有 {share} 这样失败；更可能是我们自己的配置有误，而不是这么多接收者都失效",
    latency="到被接受所用时间：一半在 {median} 内，百分之九十九在 {slow} 内；重试 {retries:,} 次。",
    footnote="“已接受”表示推送服务已收下。没有任何推送服务会告诉我们设备是否显示。",
    changes="与之前的报告相比",
    changed="{what}：{before} → {after}",
    changed_suspiciously="{what}：{before} → {after}：可疑",
    by_category="结果",
    by_provider="按提供商",
    by_cause="按原因",
    over_time="按时间",
    over_time_note="每根柱代表 {width}；时间为 UTC",
    how_long="到被接受所用时间",
    how_long_note="从取出推送到被接受的秒数，包括等待",
    times="次",
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
    own: Mapping[str, str] = import_module(f"pushkit.{provider}.reasons_zh").ADVICE
    return {**common, **own}


def advice(provider: str, action: Action, sentence: str, language: str, *, reason: str = "") -> str:
    """A sentence of advice in a language; one without a translation is shown behind what its word, or else its action, says."""
    if language == "en":
        return sentence
    known = _translations(provider)
    translated = known.get(sentence)
    if translated is None:
        # A latched credential's advice is its cause's, and a second sentence of delivery's.
        first, _, second = sentence.partition(". ")
        if f"{first}." in known and second in known:
            translated = known[f"{first}."] + known[second]
    if translated is not None:
        return translated
    spoken = words(language)
    own = OWN.get(reason)
    return spoken.translated.format(do=known[own.advice] if own is not None else spoken.do[action], original=sentence)
