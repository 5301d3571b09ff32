"""
The words that pushkit itself says, for a reader: what each usually means at night, and where that comes from.

What they mean and what to do stands in the tables that the code itself uses (``own_reasons``, ``faults``, delivery's
decisions; see ``handbook.own_verdicts``). Here is what only a reader wants to know: what is usual at night, and the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from pushkit.notes import Source, rfc
from pushkit.outcomes import Action, Category, Disposition, Scope


@attrs.frozen(kw_only=True)
class Word:
    """A word that stands in no table."""

    reason: str
    where: str
    """Where it is said."""
    category: Category
    action: Action
    advice: str
    advice_zh: str
    scope: Scope | None = None
    disposition: Disposition = Disposition.NOT_SENT
    floor: float | None = None


def _technical(
    reason: str,
    where: str,
    advice: str,
    advice_zh: str,
    action: Action = Action.FIX_CONFIGURATION,
    scope: Scope = Scope.CONFIGURATION,
    *,
    floor: float | None = None,
    disposition: Disposition = Disposition.NOT_SENT,
) -> Word:
    return Word(
        reason=reason,
        where=where,
        category=Category.TECHNICAL,
        action=action,
        scope=scope,
        advice=advice,
        advice_zh=advice_zh,
        floor=floor,
        disposition=disposition,
    )


def _credential(reason: str, where: str, advice: str, advice_zh: str, *, floor: float | None = None) -> Word:
    return _technical(reason, where, advice, advice_zh, Action.FIX_CREDENTIALS, Scope.CREDENTIAL, floor=floor)


FATES: Final = ("fate unknown", "not processed")
"""Where a fault's rows stand: whether the provider may have the push."""
ANYWHERE: Final = "found before sending"
DECIDED: Final = "decided before sending"
_OAUTH: Final = "fcm, signing in to Google"

# fmt: off
WORDS: tuple[Word, ...] = (
    _technical("malformed_response", "apns, channels",
        "Look the channel up with channels().list(): Apple did it, and the answer was in no form that is known here.",
        "用 channels().list() 查看频道：苹果已执行，但响应的格式无法识别。", Action.REPORT_BUG, disposition=Disposition.UNKNOWN),
    _credential("oauth_invalid_grant", _OAUTH,
        "Check the service account key and the server's clock: Google refuses the sign-in.",
        "检查服务账号密钥和服务器时钟：谷歌拒绝了身份验证。"),
    _technical("oauth_unavailable", _OAUTH,
        "Try again shortly: Google's sign-in service has trouble, and nothing was sent.",
        "稍后重试：谷歌的登录服务有故障，什么都没有发出。", Action.RETRY_LATER, Scope.ATTEMPT, floor=1.0),
    _technical("oauth_not_found", _OAUTH,
        "Check the token_uri of the key file: there is no sign-in service at that address.",
        "检查密钥文件中的 token_uri：那个地址没有登录服务。"),
    _technical("oauth_malformed_response", _OAUTH,
        "Check the token_uri of the key file and any proxy in between: the answer holds no access token.",
        "检查密钥文件中的 token_uri 以及中间的代理：响应里没有访问令牌。"),
    _technical("oauth_no_metadata_server", _OAUTH,
        "Set project_id, or use a service account: this is none of Google's machines.",
        "设置 project_id，或使用服务账号：这不是谷歌的机器。"),
    _technical("oauth_tls_failed", _OAUTH,
        "Check the certificate store and any proxy in between: the certificate of Google's sign-in service is not trusted here.",
        "检查证书库和中间的代理：这里不信任谷歌登录服务的证书。"),
    _technical("oauth_endpoint_not_allowed", _OAUTH,
        "Check the token_uri of the key file: its host leads to an address that is not public.",
        "检查密钥文件中的 token_uri：它的主机指向非公网地址。"),
    _technical("oauth_response_too_large", _OAUTH,
        "Check the token_uri of the key file: the answer was far longer than any sign-in service's.",
        "检查密钥文件中的 token_uri：响应比任何登录服务的都长得多。"),
    _credential("oauth_…", _OAUTH,
        "Check the credentials: Google's sign-in service refuses them, in the word behind oauth_.",
        "检查凭据：谷歌的登录服务拒绝了它们，原因是 oauth_ 后面的词。"),
)
"""The words that stand in no table, since what they say is Google's, or said of a call that is no push."""

FLOORS: Mapping[str, float] = {
    "credential_latched": 0.0,
    "credential_fetch_failed": 1.0,
    "credential_timeout": 1.0,
    "retry_budget_exhausted": 1.0,
    "too_many_origins": 60.0,
}
"""Seconds before a push that ended so may be tried again, of the words that are no refusal for good."""

_APNS_ALONE: Final = (
    "background_with_content", "collapse_id_too_long", "invalid_channel_id", "invalid_environment", "environment_not_configured",
    "token_key_required", "topic_not_in_certificate",
)
_FCM_ALONE: Final = ("invalid_topic_name", "invalid_condition", "no_credential")
_WEB_ALONE: Final = (
    "invalid_endpoint", "endpoint_not_allowed", "endpoint_permanently_removed", "invalid_p256dh", "invalid_auth_secret",
    "subscription_expired", "vapid_key_not_configured", "vapid_keypair_mismatch", "invalid_vapid_subject", "invalid_topic",
    "invalid_declarative_message", "missing_fallback", "invalid_padding", "background_not_supported", "invalid_location",
    "message_gone", "withdrawal_not_supported", "too_many_origins",
)

PLACES: Mapping[str, str] = {
    "credential_latched": DECIDED,
    "credential_fetch_failed": DECIDED,
    "credential_timeout": DECIDED,
    "retry_budget_exhausted": "decided after an attempt",
    "provider_error": "decided before or after an attempt",
    "invalid_token": f"apns and fcm, {ANYWHERE}",
    **dict.fromkeys(_APNS_ALONE, f"apns, {ANYWHERE}"),
    **dict.fromkeys(_FCM_ALONE, f"fcm, {ANYWHERE}"),
    **dict.fromkeys(_WEB_ALONE, f"web push, {ANYWHERE}"),
}
"""Where a word is said, if it is not found before sending by every provider."""

_TYPO = (
    "A mistake in a program, found the first time that it runs; every push of that call fails, and nothing was sent.",
    "程序里的错误，第一次运行就会发现；该调用的推送全部失败，什么都没有发出。")
_CAMPAIGN = (
    "A new campaign or template; every push of it fails here before anybody gets it.",
    "新的活动或模板；它的推送在发出之前就全部在这里失败。")
_LIST = (
    "A few bad rows in a list are ordinary. Many: the program that reads the list changed.",
    "名单里有少量坏行很正常。大量：读取名单的程序有改动。")
_DAMAGED = (
    "A few are ordinary. Many: the place where subscriptions are stored cuts them short or changes their letters.",
    "少量很正常。大量：保存订阅的地方把它截短了，或改动了字母大小写。")
_DEPLOYED = (
    "After a deployment: a setting or a key file is missing there. Everything of this app fails.",
    "部署之后出现：那里缺少某项设置或密钥文件。这个应用的推送全部失败。")
_NETWORK = (
    "The network of this machine (firewall, DNS, route), mostly after a change; if other machines reach the service, it is this one.",
    "这台机器的网络（防火墙、DNS、路由），多半在变更之后；如果其他机器能连上，问题就在这台。")
_LOAD = (
    "More is sent than goes out in the time allowed: one slow service, or a campaign that is too big for one sender.",
    "发送量超过了限时内能发出的量：某个推送服务变慢，或活动对一个发送端来说太大。")
_STOPPED = (
    "Ordinary when a program is stopped or restarted: nobody has to get up.",
    "程序停止或重启时的正常现象：不必起床。")
_DOUBT = (
    "Slow service or broken network. Whoever sends everything again by hand sends some people two copies.",
    "推送服务变慢或网络中断。手动全部重发会让一些人收到两份。")
_SIGN_IN = (
    "The service account: its key was deleted or replaced, or the clock is wrong by minutes. Nothing goes out through FCM.",
    "服务账号的问题：密钥被删除或更换，或时钟差了几分钟。FCM 什么都发不出去。")
_TOKEN_URI = (
    "A proxy answers in Google's place, or the key file was edited. Nothing goes out through FCM.",
    "代理冒充谷歌响应，或密钥文件被改动过。FCM 什么都发不出去。")
_KEY_PAIR = (
    "After a change of keys: the settings hold another pair than the page gives to browsers.",
    "更换密钥之后出现：设置里的密钥对与网页给浏览器的不同。")

NIGHTS: Mapping[str, tuple[str, str]] = {
    "connect_failed": _NETWORK,
    "connect_timeout": _NETWORK,
    "tls_failed": (
        "A proxy that opens encrypted traffic was put in between, or this machine's list of authorities is old.",
        "中间加了会拆解加密流量的代理，或这台机器的根证书列表太旧。"),
    "endpoint_not_allowed": (
        "One: somebody stored an address that is not a push service's, perhaps on purpose. Many: a new browser's service; look whether it is genuine.",
        "一个：有人存了不是推送服务的地址，也许是故意的。很多：新浏览器的推送服务；请确认是否属实。"),
    "refused_stream": (
        "Ordinary under load; pushkit sends these again by itself.", "高负载下的正常现象；pushkit 会自行重发。"),
    "timeout": _DOUBT,
    "connection_lost": _DOUBT,
    "response_too_large": (
        "A proxy or a wrong address in the settings answers with a page.", "代理或设置里错误的地址返回了一个网页。"),
    "protocol_error": (
        "A proxy in between that does not speak HTTP/2 well.", "中间的代理对 HTTP/2 支持不好。"),
    "cancelled": _STOPPED,
    "client_closed": _STOPPED,
    "expired": _LOAD,
    "superseded": (
        "Ordinary for Live Activities: only the newest state counts. Nobody has to get up.",
        "实时活动的正常现象：只有最新状态有意义。不必起床。"),
    "circuit_open": (
        "A consequence, not a cause: look at what failed just before, and at that service's status page.",
        "这是结果，不是原因：看看之前失败的是什么，以及该服务的状态页。"),
    "throttled": (
        "The service asked for a pause: too much was sent at once, to one device or in all.",
        "推送服务要求暂停：一次发得太多，可能是对一台设备，也可能是总量。"),
    "credential_latched": (
        "A consequence: the first failure before these says what is wrong with the key. Sending starts again by itself once it works.",
        "这是结果：在此之前的第一条失败说明密钥哪里有问题。恢复之后会自动继续发送。"),
    "credential_fetch_failed": (
        "The code or the vault that gives the key has trouble. Nothing goes out with this key.",
        "提供密钥的代码或密钥库有故障。用此密钥什么都发不出去。"),
    "credential_timeout": (
        "The vault or Google's sign-in service is slow, or the network to it is blocked.",
        "密钥库或谷歌的登录服务变慢，或通往它的网络被挡住。"),
    "retry_budget_exhausted": (
        "A consequence: so much fails that repeating is switched off. Look at the reasons in the details.",
        "这是结果：失败太多，重试已被关闭。看看详情里的原因。"),
    "provider_error": (
        "A mistake in pushkit or in a provider of your own; the log names the error.",
        "pushkit 或自己写的提供商有错误；日志里有错误名称。"),
    "wrong_message": _TYPO,
    "invalid_field": _CAMPAIGN,
    "invalid_options": _TYPO,
    "invalid_padding": _TYPO,
    "invalid_ttl": _TYPO,
    "invalid_topic": (
        "A topic is made out of something free, such as a title or a city with a blank in it.",
        "topic 取自随意的文字，例如带空格的标题或城市名。"),
    "invalid_topic_name": _TYPO,
    "invalid_condition": _TYPO,
    "reserved_key": _CAMPAIGN,
    "empty_message": _CAMPAIGN,
    "payload_too_large": (
        "A campaign with a long text, or data that grew (a whole object instead of its id).",
        "某个活动的文字太长，或附带的数据变大（整个对象而不是编号）。"),
    "dry_run_not_supported": _TYPO,
    "message_failed": (
        "The program that writes the messages stumbles over some recipients, mostly a missing name or language.",
        "生成消息的程序在某些接收者上出错，多半是缺少姓名或语言。"),
    "invalid_target": _LIST,
    "invalid_token": _LIST,
    "invalid_channel_id": _LIST,
    "invalid_environment": _LIST,
    "provider_not_configured": _DEPLOYED,
    "app_not_configured": _DEPLOYED,
    "environment_not_configured": _DEPLOYED,
    "token_key_required": _DEPLOYED,
    "topic_not_in_certificate": _DEPLOYED,
    "background_with_content": _CAMPAIGN,
    "background_not_supported": _CAMPAIGN,
    "collapse_id_too_long": (
        "A template makes the collapse id out of something long, such as a title or a web address.",
        "某个模板用很长的内容（标题、网址等）拼成 collapse id。"),
    "malformed_response": (
        "Apple changed an answer, or a proxy did: look for a newer pushkit.", "苹果或代理改变了响应的格式：看看有没有新版 pushkit。"),
    "no_credential": ("A mistake of pushkit's.", "pushkit 的错误。"),
    "oauth_invalid_grant": _SIGN_IN,
    "oauth_unavailable": (
        "Trouble at Google's sign-in service, or the network to it. Nothing goes out through FCM.",
        "谷歌的登录服务或通往它的网络有故障。FCM 什么都发不出去。"),
    "oauth_not_found": _TOKEN_URI,
    "oauth_malformed_response": _TOKEN_URI,
    "oauth_no_metadata_server": (
        "The program runs somewhere else than on Google's machines, with settings made for those.",
        "程序不在谷歌的机器上运行，设置却是为谷歌的机器写的。"),
    "oauth_tls_failed": (
        "A proxy that opens encrypted traffic was put in between, or this machine's list of authorities is old.",
        "中间加了会拆解加密流量的代理，或这台机器的根证书列表太旧。"),
    "oauth_endpoint_not_allowed": _TOKEN_URI,
    "oauth_response_too_large": _TOKEN_URI,
    "oauth_…": _SIGN_IN,
    "too_many_origins": (
        "Somebody registers made-up push services by the hundred: look where these subscriptions come from.",
        "有人成百地注册虚构的推送服务：查查这些订阅从哪里来。"),
    "invalid_endpoint": _DAMAGED,
    "endpoint_permanently_removed": (
        "Everyday: a browser without a push service (Edge on Android, some Chromium builds).",
        "日常现象：没有推送服务的浏览器（安卓版 Edge、某些 Chromium 版本）。"),
    "invalid_p256dh": _DAMAGED,
    "invalid_auth_secret": _DAMAGED,
    "subscription_expired": ("Everyday: nothing to get up for.", "日常现象：不必起床。"),
    "vapid_key_not_configured": _KEY_PAIR,
    "invalid_declarative_message": _CAMPAIGN,
    "missing_fallback": _CAMPAIGN,
    "invalid_location": _TYPO,
    "message_gone": ("Ordinary: it was read before it could be taken back.", "正常现象：撤回之前已经送出。"),
    "withdrawal_not_supported": _TYPO,
    "invalid_vapid_subject": _DEPLOYED,
    "vapid_keypair_mismatch": _KEY_PAIR,
}
# fmt: on
"""By word: what it usually means at night, in English and in Chinese."""

_PROVEN: Final = frozenset({"refused_stream", "connection_lost", "timeout", "protocol_error"})
UNPROCESSED: Final = rfc(9113, "8.7")
SIGN_IN: Final = Source(
    "Google, Using OAuth 2.0 for server to server applications", "https://developers.google.com/identity/protocols/oauth2/service-account"
)
OWN_RULE: Final = Source("a rule of pushkit's own", "")


def source_of(reason: str, where: str) -> Source:
    """Where a word's meaning comes from: the network's own rules, a sign-in's, or pushkit's."""
    if where in FATES and reason in _PROVEN:
        return UNPROCESSED
    return SIGN_IN if reason.startswith("oauth_") else OWN_RULE
