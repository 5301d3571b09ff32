"""
What each answer in ``reasons`` usually means at night, and the page, section or thread that it comes from.

For the handbook (``python -m pushkit explain`` and the documentation); a client never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pushkit.notes import Note, Source, rfc

MOZILLA: Final = Source("Mozilla, autopush error codes", "https://mozilla-services.github.io/autopush-rs/errors.html")
AUTOPUSH: Final = Source(
    "Mozilla, autopush's source (autoendpoint/src/error.rs)",
    "https://github.com/mozilla-services/autopush-rs/blob/master/autoendpoint/src/error.rs",
)
APPLE: Final = Source(
    "Apple, Sending web push notifications in web apps and browsers",
    "https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers",
)
APPLE_ANSWERS: Final = Source(
    "Apple, Handling notification responses from APNs",
    "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns",
)
MICROSOFT: Final = Source(
    "Microsoft, Troubleshooting push notifications",
    "https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/troubleshooting",
)
QUOTAS: Final = Source("Google, FCM throttling and quotas", "https://firebase.google.com/docs/cloud-messaging/throttling-and-quotas")


def _thread(repository: str, number: int) -> Source:
    return Source(f"{repository}, thread {number} (seen in production)", f"https://github.com/{repository}/issues/{number}")


_WEB_PUSH = "web-push-libs/{}"

# fmt: off
# What is said of more than one row.
_OURS = (
    "Rare, and not the settings: a proxy in between changes requests, or a mistake of pushkit's.",
    "少见，与设置无关：中间的代理改动了请求，或者是 pushkit 的错误。")
_OWN_HEADERS = (
    "Rare unless requests are put together by hand; otherwise a proxy in between changes them, or a mistake of pushkit's.",
    "除非自己拼装请求，否则少见：可能是中间的代理改动了请求，或者是 pushkit 的错误。")
_LONG_TOPIC = (
    "The topic is made out of something long or with blanks, such as a title; every push of that template fails.",
    "用很长或带空格的内容（例如标题）拼成 topic；用这个模板的推送会全部失败。")
_CAMPAIGN = (
    "A new campaign or template with a value that the service does not take: all pushes of it fail, others do not.",
    "新的活动或模板带了推送服务不接受的值：它的推送全部失败，其他的正常。")
_SIGN_IN = (
    "After a deployment or a change of keys, or a clock that is wrong by minutes: look at these before anything else. Everything fails.",
    "部署或更换密钥之后出现，或服务器时钟差了几分钟：先查这些。全部失败。")
_OTHER_KEY = (
    "Many, after a deployment: another key is in the settings than the page gives to browsers. A few: subscriptions from before a change of keys.",
    "部署之后大量出现：设置里的密钥与网页给浏览器的不是同一把。少量：更换密钥之前的订阅。")
_EVERYDAY = (
    "Everyday: people leave, clear their browser or switch notifications off.",
    "日常现象：有人不再使用、清理了浏览器或关闭了通知。")
_WAVE = (
    "Everyday. A sudden wave is mostly a clean-up by the service: look before removing very many.",
    "日常现象。突然成批出现多半是推送服务在清理：大量移除之前先查一查。")
_DAMAGED = (
    "Addresses cut short by a database column, or decoded and encoded again on the way.",
    "数据库字段把地址截短了，或者途中被解码又重新编码。")
_LARGE = (
    "A campaign with a long text, or data that grew (a whole object instead of its id); every push of it fails.",
    "某个活动的文字太长，或附带的数据变大（整个对象而不是编号）；它的推送会全部失败。")
_BURST = (
    "A campaign goes out too fast to this service, or one loop sends to the same browser again and again.",
    "活动向这个推送服务发得太快，或某个循环反复发给同一个浏览器。")
_THEIRS = (
    "Trouble at the push service: nothing can be mended here. Only the users of that browser are affected.",
    "推送服务有故障：这边无事可修。只影响使用该浏览器的用户。")
_BRIDGE = (
    "Trouble between Mozilla and Google or Apple: only Firefox on phones is affected. Nothing can be mended here.",
    "Mozilla 与谷歌或苹果之间有故障：只影响手机上的 Firefox。这边无事可修。")
_NETWORK = (
    "This machine or its network is overloaded: requests leave too slowly.",
    "这台机器或它的网络过载：请求发得太慢。")
_ELSEWHERE = (
    "A proxy or a captive network answers in the push service's place; a push service that moves is very rare.",
    "代理或需要登录的网络冒充推送服务响应；推送服务搬家非常少见。")
_TTL = (
    "A lifetime in milliseconds instead of seconds.",
    "有效期用了毫秒而不是秒。")
_NEW_PROXY = (
    "A proxy is new, or its password has changed. Nothing gets out.",
    "代理是新装的，或它的密码改了。什么都发不出去。")

NOTES: Mapping[str, Note] = {
    "rfc 400 ttl": Note(*_OWN_HEADERS, rfc(8030, "5.2")),
    "rfc 400 urgency": Note(*_OWN_HEADERS, rfc(8030, "5.3")),
    "rfc 400 topic": Note(*_LONG_TOPIC, rfc(8030, "5.4")),
    "rfc 400 receipt": Note(*_OURS, rfc(8030, "5.1")),
    "rfc 400 same key": Note(*_OURS, rfc(8292, "3.2")),
    "rfc 400": Note(*_CAMPAIGN, rfc(9110, "15.5.1")),
    "rfc 401": Note(*_SIGN_IN, rfc(8292, "4.2")),
    "rfc 403": Note(*_SIGN_IN, rfc(8292, "4.2")),
    "rfc 404": Note(*_EVERYDAY, rfc(8030, "7.3")),
    "rfc 405": Note(*_OURS, rfc(9110, "15.5.6")),
    "rfc 407": Note(*_NEW_PROXY, rfc(9110, "15.5.8")),
    "rfc 408": Note(*_NETWORK, rfc(9110, "15.5.9")),
    "rfc 410": Note(*_EVERYDAY, rfc(8030, "6.3")),
    "rfc 413": Note(*_LARGE, rfc(8030, "7.2")),
    "rfc 421": Note(
        "A proxy in between mixes up connections; one now and then heals by itself.",
        "中间的代理把连接弄混了；偶尔一次会自行恢复。", rfc(9110, "15.5.20")),
    "rfc 425": Note(
        "The service is just starting; it heals by itself.", "推送服务正在启动；会自行恢复。", rfc(8470, "5.2")),
    "rfc 429": Note(*_BURST, rfc(8030, "8.4")),
    "rfc 301": Note(*_ELSEWHERE, rfc(9110, "15.4.2")),
    "rfc 307": Note(*_ELSEWHERE, rfc(8030, "7")),
    "rfc 500": Note(*_THEIRS, rfc(9110, "15.6.1")),
    "rfc 501": Note(*_OURS, rfc(9110, "15.6.2")),
    "rfc 502": Note(*_THEIRS, rfc(9110, "15.6.3")),
    "rfc 503": Note(*_THEIRS, rfc(9110, "15.6.4")),
    "rfc 504": Note(*_THEIRS, rfc(9110, "15.6.5")),
    "rfc 511": Note(
        "This machine is in a network that wants a sign-in (a hotel's, a training room's). Nothing gets out.",
        "这台机器所在的网络要求登录（酒店、培训室等）。什么都发不出去。", rfc(6585, "6")),
    "rfc http_3xx": Note(*_ELSEWHERE, rfc(9110, "15.4")),
    "rfc http_4xx": Note(
        "Somebody else than the push service answered: a proxy or a firewall's page.",
        "响应的不是推送服务：是代理或防火墙的页面。", rfc(9110, "15.5")),
    "rfc http_5xx": Note(*_THEIRS, rfc(9110, "15.6")),
    "rfc http_other": Note(
        "Something in between speaks HTTP badly: look at the proxy.",
        "中间有东西说的不是正确的 HTTP：检查代理。", rfc(9110, "15")),
    "mozilla 301": Note(*_ELSEWHERE, MOZILLA),
    "mozilla 400 errno 101": Note(*_OURS, MOZILLA),
    "mozilla 400 errno 106": Note(
        "Everyday, on phones: an old or unofficial Firefox.", "手机上的日常现象：旧版或非官方的 Firefox。", AUTOPUSH),
    "mozilla 400 errno 108": Note(*_DAMAGED, MOZILLA),
    "mozilla 400 errno 110": Note(*_OURS, MOZILLA),
    "mozilla 400 errno 111": Note(*_OWN_HEADERS, MOZILLA),
    "mozilla 400 errno 112": Note(*_TTL, MOZILLA),
    "mozilla 400 errno 113": Note(*_LONG_TOPIC, MOZILLA),
    "mozilla 400 errno 114": Note(*_OWN_HEADERS, AUTOPUSH),
    "mozilla 400": Note(*_CAMPAIGN, AUTOPUSH),
    "mozilla 401 errno 109": Note(*_SIGN_IN, MOZILLA),
    "mozilla 401 VAPID public key mismatch": Note(*_OTHER_KEY, AUTOPUSH),
    "mozilla 404 errno 102": Note(*_DAMAGED, MOZILLA),
    "mozilla 410 errno 103": Note(*_EVERYDAY, MOZILLA),
    "mozilla 410 errno 105": Note(*_EVERYDAY, MOZILLA),
    "mozilla 410 errno 106": Note(*_EVERYDAY, MOZILLA),
    "mozilla 413 errno 104": Note(
        "A text that fits browsers on desktops and is too long for Firefox on phones: about 2700 bytes reach everybody.",
        "文字对电脑浏览器够短，对手机上的 Firefox 太长：约 2700 字节以内谁都能收到。", MOZILLA),
    "mozilla 413": Note(*_LARGE, AUTOPUSH),
    "mozilla 418 errno 999": Note(
        "Somebody stored the address of Mozilla's self-test as a subscription.",
        "有人把 Mozilla 自检用的地址存成了订阅。", AUTOPUSH),
    "mozilla 500 errno 999": Note(*_THEIRS, MOZILLA),
    "mozilla 500 errno 201": Note(*_THEIRS, AUTOPUSH),
    "mozilla 500": Note(*_THEIRS, AUTOPUSH),
    "mozilla 502 errno 900": Note(*_BRIDGE, MOZILLA),
    "mozilla 502 errno 901": Note(*_BRIDGE, MOZILLA),
    "mozilla 502 errno 902": Note(*_BRIDGE, MOZILLA),
    "mozilla 502 errno 903": Note(*_BRIDGE, MOZILLA),
    "mozilla 502": Note(*_BRIDGE, AUTOPUSH),
    "mozilla 503 errno 201": Note(*_THEIRS, MOZILLA),
    "mozilla 503 errno 202": Note(*_THEIRS, MOZILLA),
    "mozilla 503": Note(*_THEIRS, AUTOPUSH),
    "google 400 UnauthorizedRegistration": Note(*_OTHER_KEY, _thread(_WEB_PUSH.format("web-push"), 237)),
    "google 400 InvalidTokenFormat": Note(*_DAMAGED, _thread(_WEB_PUSH.format("web-push"), 328)),
    "google 400 InvalidTtlParameter": Note(*_TTL, _thread("danhper/elixir-web-push-encryption", 1)),
    "google 400": Note(*_CAMPAIGN, rfc(9110, "15.5.1")),
    "google 401 authorization_missing": Note(
        "A new proxy or gateway removes the authorization header. Everything fails.",
        "新的代理或网关去掉了 authorization 请求头。全部失败。", _thread(_WEB_PUSH.format("web-push-php"), 325)),
    "google 401 invalid_push_subscription_endpoint": Note(
        "Trouble at Google that ended by itself within a day when it was seen. Remove nobody.",
        "谷歌的故障，见到的几次都在一天内自行恢复。不要移除任何人。", _thread("zaru/webpush", 89)),
    "google 403 vapid_key_mismatch": Note(*_OTHER_KEY, _thread(_WEB_PUSH.format("web-push"), 941)),
    "google 403 aud_mismatch": Note(
        "Rare. A proxy that changes hosts, or a mistake of pushkit's.",
        "少见。改动主机名的代理，或者是 pushkit 的错误。", _thread(_WEB_PUSH.format("pywebpush"), 118)),
    "google 403 invalid_jwt": Note(*_SIGN_IN, _thread(_WEB_PUSH.format("web-push"), 679)),
    "google 403": Note(*_SIGN_IN, rfc(8292, "4.2")),
    "google 404": Note(*_WAVE, _thread("pushpad/web-push", 14)),
    "google 410": Note(*_EVERYDAY, rfc(8030, "6.3")),
    "google 413": Note(*_LARGE, rfc(8030, "7.2")),
    "google 429": Note(*_BURST, QUOTAS),
    "google 500": Note(*_THEIRS, rfc(9110, "15.6.1")),
    "google 502": Note(
        "A campaign goes out in bursts of thousands: slow down, and it passes.",
        "活动一次爆发几千条：放慢就好。", _thread(_WEB_PUSH.format("web-push-csharp"), 46)),
    "google 503": Note(*_THEIRS, rfc(9110, "15.6.4")),
    "apple 400 BadTtl": Note(*_TTL, APPLE),
    "apple 400 BadUrgency": Note(*_OWN_HEADERS, APPLE),
    "apple 400 BadWebPushTopic": Note(
        "A topic of 1, 5, 9, 13 … characters: Apple alone refuses those lengths, so only Safari is affected.",
        "topic 的长度为 1、5、9、13…个字符：只有苹果拒绝这些长度，所以只影响 Safari。", APPLE),
    "apple 400 BadWebPushRequest": Note(
        "A few: stored keys of a subscription are damaged. All: something other than pushkit sends unencrypted text.",
        "少量：订阅保存的密钥已损坏。全部：有 pushkit 以外的程序发送未加密的文字。", APPLE),
    "apple 400 VapidPkHashMismatch": Note(*_OTHER_KEY, APPLE),
    "apple 403 VapidPkHashMismatch": Note(*_OTHER_KEY, APPLE),
    "apple 400 BadAuthorizationHeader": Note(*_OURS, APPLE),
    "apple 403 BadAuthorizationHeader": Note(*_OURS, APPLE),
    "apple 403 BadJwtToken": Note(
        "The contact address ends in localhost, .local or .invalid, or has a blank after mailto: (Apple alone minds), or the clock is wrong. All of Safari fails.",
        "联系地址以 localhost、.local 或 .invalid 结尾，或 mailto: 后面有空格（只有苹果在意），或者时钟不准。Safari 全部失败。", APPLE),
    "apple 403 BadVapidPublicKey": Note(*_SIGN_IN, APPLE),
    "apple 404 BadPath": Note(*_DAMAGED, APPLE),
    "apple 405 MethodNotAllowed": Note(*_OURS, APPLE),
    "apple 410 Unregistered": Note(*_EVERYDAY, APPLE_ANSWERS),
    "apple 410 ExpiredToken": Note(*_EVERYDAY, APPLE),
    "apple 410": Note(*_EVERYDAY, APPLE),
    "apple 413 PayloadTooLarge": Note(*_LARGE, APPLE),
    "apple 429 TooManyRequests": Note(
        "One loop, or one busy conversation, sends to the same Safari again and again.",
        "某个循环或某个热闹的会话反复发给同一个 Safari。", APPLE),
    "apple 400 IdleTimeout": Note(
        "Ordinary after a quiet stretch: nobody has to get up.",
        "一段时间没有发送之后的正常现象：不必起床。", APPLE_ANSWERS),
    "apple 500 InternalServerError": Note(*_THEIRS, APPLE),
    "apple 503 ServiceUnavailable": Note(*_THEIRS, APPLE),
    "apple 503 Shutdown": Note(
        "Ordinary: one of Apple's servers is being maintained and the next one takes over.",
        "正常：苹果的一台服务器在维护，由下一台接替。", APPLE),
    "microsoft 201 dropped": Note(
        "One: that person switched notifications off in Windows. Many: too many are sent.",
        "一个：此人在 Windows 里关闭了通知。很多：发送太多。", MICROSOFT),
    "microsoft 201 channelthrottled": Note(*_BURST, MICROSOFT),
    "microsoft 400 ttl_cache_policy_conflict": Note(*_OURS, _thread(_WEB_PUSH.format("pywebpush"), 162)),
    "microsoft 400 tokens_or_keys": Note(*_OURS, _thread("block65/webcrypto-web-push", 13)),
    "microsoft 400": Note(*_OURS, MICROSOFT),
    "microsoft 401": Note(
        "All: the key or the clock. A few: their addresses were decoded before they were stored (%2b became +).",
        "全部：密钥或时钟有误。少量：地址在保存之前被解码（%2b 变成了 +）。", MICROSOFT),
    "microsoft 403": Note(*_OTHER_KEY, MICROSOFT),
    "microsoft 404": Note(*_DAMAGED, MICROSOFT),
    "microsoft 405": Note(*_OURS, MICROSOFT),
    "microsoft 406": Note(*_BURST, MICROSOFT),
    "microsoft 410": Note(*_EVERYDAY, MICROSOFT),
    "microsoft 413": Note(*_LARGE, MICROSOFT),
    "microsoft 429": Note(
        "The month's quota is used up: a decision about money, not about code.",
        "本月额度已用完：这是费用的决定，不是代码的问题。", MICROSOFT),
    "microsoft 500": Note(*_THEIRS, MICROSOFT),
    "microsoft 503": Note(*_THEIRS, MICROSOFT),
}
# fmt: on
"""By service, status and the row's own word (``reason``, else ``match``)."""
