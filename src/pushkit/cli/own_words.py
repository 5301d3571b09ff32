"""
The words that pushkit itself says: for what it finds before sending, decides while sending, or never got an answer to.

What a function of delivery or a table of faults says is taken from there (``handbook.own_verdicts``); a word
whose sentence is put together from the case at hand (which field, how many bytes) has its general sentence here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from pushkit.notes import Source, rfc
from pushkit.outcomes import Action, Category, Disposition, Scope


@attrs.frozen(kw_only=True)
class Word:
    """A word whose sentence depends on the case."""

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


def _payload(reason: str, where: str, advice: str, advice_zh: str) -> Word:
    return Word(reason=reason, where=where, category=Category.PAYLOAD, action=Action.FIX_PAYLOAD, advice=advice, advice_zh=advice_zh)


def _recipient(reason: str, where: str, advice: str, advice_zh: str, action: Action = Action.REVIEW_RECIPIENT) -> Word:
    return Word(reason=reason, where=where, category=Category.RECIPIENT, action=action, advice=advice, advice_zh=advice_zh)


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
_APNS: Final = "apns, found before sending"
_FCM: Final = "fcm, found before sending"
_OAUTH: Final = "fcm, signing in to Google"
_WEB: Final = "web push, found before sending"

# fmt: off
WORDS: tuple[Word, ...] = (
    # what every provider's messages and recipients share
    _payload("wrong_message", ANYWHERE,
        "Send this kind of message to the recipients that it is made for; a Notification goes to every kind.",
        "把这种消息发给它所适用的接收者；Notification 可以发给任何一种。"),
    _payload("invalid_field", ANYWHERE,
        "Correct the field that the outcome names: it does not hold what belongs there.",
        "更正结果中指出的字段：它的内容不是该字段应有的。"),
    _payload("invalid_options", ANYWHERE,
        "Give options= as a tuple of what each provider calls Options, such as (apns.Options(...), fcm.Options(...)).",
        "请用元组填写 options=，内容是各提供商的 Options，例如 (apns.Options(...), fcm.Options(...))。"),
    _payload("invalid_ttl", ANYWHERE,
        "Give ttl as seconds (0 or more) or a timedelta, or expires_at as a datetime with a time zone.",
        "请用秒数（不小于 0）或 timedelta 填写有效期（ttl），或用带时区的时间填写 expires_at。"),
    _payload("reserved_key", ANYWHERE,
        "Rename the entry of data that the outcome names: the provider, or another field of the notification, uses this name.",
        "给结果中指出的 data 项改名：这个名字已被提供商或通知的另一个字段占用。"),
    _payload("empty_message", ANYWHERE,
        "Give the notification a title or a body, or say that it is a background push.",
        "给通知加上标题或正文，或说明它是后台推送。"),
    _payload("payload_too_large", ANYWHERE,
        "Shorten the message: the outcome says how many bytes it has and how many the provider takes.",
        "缩短消息：结果中说明它有多少字节，以及提供商接受多少。"),
    _payload("dry_run_not_supported", ANYWHERE,
        "Leave dry_run off, or use check(): there is no trial for this, it would really be sent.",
        "不要使用 dry_run，或改用 check()：这里没有试发，会真的发出。"),
    _payload("message_failed", ANYWHERE,
        "Repair the callable that makes the message: it raised an error, or gave none for this recipient.",
        "修复生成消息的函数：它抛出了错误，或没有为此接收者给出消息。"),
    _recipient("invalid_target", ANYWHERE,
        "Repair this row of the recipient list: it holds nothing that can be sent to.",
        "修复接收者名单中的这一行：它不是可以发送的接收者。", Action.REMOVE_RECIPIENT),
    _technical("provider_not_configured", ANYWHERE,
        "Give the client a configuration for this provider (apns=, fcm= or webpush=): it has none.",
        "为客户端提供该提供商的配置（apns=、fcm= 或 webpush=）：目前没有。"),
    _technical("app_not_configured", ANYWHERE,
        "Configure this app, or correct the app of these targets: the client knows none of that name, or cannot use what it was given.",
        "配置这个 app，或更正这些接收者的 app：客户端不认识这个名字，或无法使用所给的配置。"),
    # what delivery decides
    _credential("credential_latched", DECIDED,
        "Mend the key or account that the provider refused: nothing more is sent with it until it works again.",
        "修复提供商拒绝的密钥或账号：在它恢复之前，不再用它发送。", floor=0.0),
    _credential("credential_fetch_failed", DECIDED,
        "Check how this credential is fetched: the code that fetches it raised an error, or asked without an end.",
        "检查获取此凭据的代码：它抛出了错误，或不断请求没有结束。", floor=1.0),
    _technical("credential_timeout", DECIDED,
        "Try again later: fetching the credential took too long; check how it is fetched if this lasts.",
        "稍后再试：获取凭据用时太久；如果持续出现，请检查获取方式。", Action.RETRY_LATER, Scope.ATTEMPT, floor=1.0),
    _technical("retry_budget_exhausted", "decided after an attempt",
        "Try again later: so many pushes fail that repeating them all would only add to the load.",
        "稍后再试：失败太多，全部重试只会加重负担。", Action.RETRY_LATER, Scope.ATTEMPT, floor=1.0, disposition=Disposition.UNKNOWN),
    _technical("provider_error", "decided before or after an attempt",
        "Report this: the code of this provider raised an error.",
        "请报告：此提供商的代码抛出了错误。", Action.REPORT_BUG),
    # apns
    _payload("background_with_content", _APNS,
        "Send two pushes, or leave background off and set apns.Options(content_available=True): a background push shows nothing.",
        "分成两条推送发送，或不设 background 而设置 apns.Options(content_available=True)：后台推送不显示任何内容。"),
    _payload("collapse_id_too_long", _APNS,
        "Shorten the collapse id to 64 bytes.", "把 collapse id 缩短到 64 字节。"),
    _recipient("invalid_token", "apns and fcm, found before sending",
        "Remove or correct this device: what is stored for it cannot be a token. Where it is one in another form, correct how tokens are stored.",
        "移除或更正此设备：保存的内容不可能是 token。如果只是换了一种形式，请更正保存 token 的方式。", Action.REMOVE_RECIPIENT),
    _recipient("invalid_channel_id", _APNS,
        "Remove or correct the stored channel id: it is not what Apple gave.",
        "移除或更正保存的频道编号：它不是苹果给出的。", Action.REMOVE_RECIPIENT),
    _recipient("invalid_environment", _APNS,
        "Correct the environment that is stored for this device: it is either 'production' or 'sandbox'.",
        "更正为此设备保存的环境：只能是 'production' 或 'sandbox'。"),
    _technical("environment_not_configured", _APNS,
        "Add credentials for this environment of Apple's to the settings, or correct this device's environment.",
        "在设置中添加该苹果环境的凭据，或更正此设备的环境。"),
    _technical("token_key_required", _APNS,
        "Use a token key (.p8): Apple takes this type of push with no certificate.",
        "请使用令牌密钥（.p8）：苹果不接受用证书发送这种推送。", Action.FIX_CREDENTIALS),
    _technical("topic_not_in_certificate", _APNS,
        "Make a certificate that covers this app and service, or use a token key, which covers all of the team's.",
        "制作涵盖此应用和服务的证书，或使用令牌密钥，它涵盖团队的全部应用。", Action.FIX_CREDENTIALS),
    _technical("unreadable_answer", "apns, channels",
        "Look the channel up with channels().list(): Apple did it, and the answer was in no form that is known here.",
        "用 channels().list() 查看频道：苹果已执行，但响应的格式无法识别。", Action.REPORT_BUG, disposition=Disposition.UNKNOWN),
    # fcm
    _payload("invalid_topic", _FCM,
        "Correct the topic name: plain letters, digits and -_.~% only.", "更正主题名称：只能用字母、数字和 -_.~%。"),
    _payload("invalid_condition", _FCM,
        "Correct the condition: at most 5 topics, joined by && and ||.", "更正条件：最多 5 个主题，用 && 和 || 连接。"),
    _technical("no_credential", _FCM,
        "Report this to the pushkit maintainers: a request was about to go out without an access token.",
        "请报告给 pushkit 维护者：有请求在没有访问令牌的情况下将要发出。", Action.REPORT_BUG, Scope.CREDENTIAL),
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
    _credential("oauth_failed", _OAUTH,
        "Check the credentials that google-auth was given: it raised an error.",
        "检查交给 google-auth 的凭据：它抛出了错误。"),
    _credential("oauth_wrong_token", _OAUTH,
        "Correct the callable that gives the access token: what it gave cannot be one.",
        "更正给出访问令牌的函数：它给出的不可能是令牌。"),
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
    # web push
    _technical("too_many_origins", _WEB,
        "Try again in a minute: pushes go to too many different push services that are not known at once.",
        "一分钟后再试：同时发往太多不认识的推送服务。", Action.RETRY_LATER, Scope.THROTTLE, floor=60.0),
)

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
    "unsupported_message": _TYPO,
    "invalid_field": _CAMPAIGN,
    "invalid_options": _TYPO,
    "invalid_payload": _CAMPAIGN,
    "invalid_padding": _TYPO,
    "invalid_ttl": _TYPO,
    "invalid_topic": (
        "A topic is made out of something free, such as a title or a city with a blank in it.",
        "topic 取自随意的文字，例如带空格的标题或城市名。"),
    "invalid_condition": _TYPO,
    "reserved_key": _CAMPAIGN,
    "empty_message": _CAMPAIGN,
    "empty_notification": _CAMPAIGN,
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
    "unreadable_answer": (
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
    "oauth_failed": _SIGN_IN,
    "oauth_wrong_token": (
        "The program that gives the token changed.", "给出令牌的程序有改动。"),
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
