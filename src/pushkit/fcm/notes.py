"""
What each answer in ``reasons`` usually means at night, and Google's page for it.

For the handbook (``python -m pushkit explain`` and the documentation); a client never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pushkit.notes import Note, Source

_DOCS = "https://firebase.google.com/docs/"
CODES: Final = Source("Google, FCM error codes", f"{_DOCS}cloud-messaging/error-codes")
ENUM: Final = Source("Google, FCM v1 ErrorCode", f"{_DOCS}reference/fcm/rest/v1/ErrorCode")
MESSAGE: Final = Source("Google, FCM v1 messages", f"{_DOCS}reference/fcm/rest/v1/projects.messages")
TOKENS: Final = Source("Google, Manage FCM registration tokens", f"{_DOCS}cloud-messaging/manage-tokens")
QUOTAS: Final = Source("Google, FCM throttling and quotas", f"{_DOCS}cloud-messaging/throttling-and-quotas")
SCALE: Final = Source("Google, Scale FCM", f"{_DOCS}cloud-messaging/scale-fcm")
TOPICS: Final = Source("Google, Manage topics", f"{_DOCS}cloud-messaging/manage-topics")
INSTANCE_ID: Final = Source("Google, Instance ID server reference", "https://developers.google.com/instance-id/reference/server")
REASONS: Final = Source(
    "Google, google.api.ErrorReason", "https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto"
)
RPC: Final = Source("Google, google.rpc.Code", "https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto")
APPLE: Final = Source(
    "Apple, Handling notification responses from APNs",
    "https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns",
)


def _thread(repository: str, number: int) -> Source:
    return Source(f"{repository}, thread {number} (seen in production)", f"https://github.com/{repository}/issues/{number}")


_ADMIN = "firebase/firebase-admin-{}"

# fmt: off
NOTES: Mapping[str, Note] = {
    "unregistered": Note(
        "Everyday: apps are deleted, and Android forgets devices after 270 days. A sudden wave can be trouble at Google: wait an hour before removing many.",
        "日常现象：应用被卸载，安卓设备 270 天不用也会失效。突然成批出现可能是谷歌的故障：大量移除之前先等一小时。", TOKENS),
    "unregistered_apns": Note(
        "Everyday: somebody deleted the app on an iPhone.",
        "日常现象：有人在 iPhone 上卸载了应用。", CODES),
    "apns_gone": Note(
        "Everyday: somebody deleted the app on an iPhone; Google says it as a wrong argument.",
        "日常现象：有人在 iPhone 上卸载了应用；谷歌用“参数错误”来表示。", _thread("rails/action_push_native", 141)),
    "apns_expired": Note(
        "Everyday: an iPhone that has not used the app for long.",
        "日常现象：iPhone 很久没有使用该应用。", APPLE),
    "apns_bad_token": Note(
        "Many, right after a release: development builds of the iPhone app registered in the live project, or the reverse.",
        "发布之后大量出现：开发版 iPhone 应用在正式项目里注册了，或者反过来。", CODES),
    "apns_other_app": Note(
        "Many: the bundle id of the iPhone app in Firebase was changed, or two apps share one project and their devices got mixed.",
        "大量：Firebase 里 iPhone 应用的 bundle id 被改过，或者两个应用共用一个项目而设备混在一起。", CODES),
    "live_activity_gone": Note(
        "Everyday: the match or delivery is over, and its card has left the lock screen.",
        "日常现象：比赛或配送已结束，卡片已从锁屏消失。", MESSAGE),
    "malformed_field": Note(
        "Tokens cut short by a database column, or something else stored in their place.",
        "数据库字段把 token 截短了，或者存进去的是别的东西。", CODES),
    "malformed_text": Note(
        "Tokens cut short by a database column, or another provider's tokens in this list. Fresh tokens all refused at once: trouble at Google, so remove nobody yet.",
        "数据库字段把 token 截短了，或者名单里混入了别家的 token。新 token 同时全部被拒绝：是谷歌的故障，先不要移除任何人。", CODES),
    "sender_mismatch": Note(
        "Many, after a deployment: the service account of another project (staging, an old one) is in use. A few: devices from before a change of projects.",
        "部署之后大量出现：用的是另一个项目（测试或旧项目）的服务账号。少量：更换项目之前注册的设备。", ENUM),
    "payload": Note(
        "A new campaign or template with a value that Google does not take: all pushes of it fail, others do not.",
        "新的活动或模板带了谷歌不接受的值：它的推送全部失败，其他的正常。", ENUM),
    "payload_field": Note(
        "A number or true/false in the extra data (Google takes text only), or a date or colour in another form.",
        "附加数据里有数字或布尔值（谷歌只接受文本），或者日期、颜色的格式不对。", CODES),
    "payload_too_big": Note(
        "Data that grew: a whole object instead of its id.",
        "附带的数据变大了：放了整个对象，而不是它的编号。", ENUM),
    "payload_data_key": Note(
        "A new entry in the extra data is called from, message_type, or begins with google or gcm.",
        "附加数据里新增的项叫 from、message_type，或以 google、gcm 开头。", ENUM),
    "payload_ttl": Note(
        "A lifetime in milliseconds instead of seconds.",
        "有效期用了毫秒而不是秒。", ENUM),
    "payload_package": Note(
        "Live and beta app, or a white-label app, share one list of devices.",
        "正式版与测试版（或贴牌应用）共用一份设备名单。", ENUM),
    "payload_topic": Note(
        "A topic is named after something free, such as a city or a title with a blank in it.",
        "主题名取自随意的文字，例如带空格的城市名或标题。", MESSAGE),
    "payload_android_both": Note(
        "Half of a change-over to the new Android settings.",
        "正在切换到新版安卓设置，只改了一半。", MESSAGE),
    "payload_apns": Note(
        "A header of the Apple part that was written by hand; Android devices of the same message are fine.",
        "苹果部分手写的请求头有误；同一消息发给安卓的没有问题。", APPLE),
    "http_413": Note(
        "Something very large was put into the message, such as an image instead of its address.",
        "消息里放了很大的东西，例如图片本身而不是它的地址。", MESSAGE),
    "topics_missing": Note(
        "Ordinary when somebody unsubscribes twice, or from what they never followed.",
        "有人重复退订，或退订从未关注的主题时，属正常现象。", TOPICS),
    "iid_not_found": Note(
        "Everyday: the app was deleted.", "日常现象：应用已被卸载。", INSTANCE_ID),
    "iid_invalid": Note(
        "A topic name with a blank or an accent, or a token that was cut short.",
        "主题名里有空格或特殊字符，或者 token 被截短。", INSTANCE_ID),
    "too_many_topics": Note(
        "A topic for each item or conversation is never left again.",
        "为每个条目或会话都建主题，却从不退订。", TOPICS),
    "third_party_auth": Note(
        "The Apple key in the Firebase console was revoked, or its certificate has ended: all iPhones of the project fail, Android goes on.",
        "Firebase 控制台里的苹果密钥被吊销，或证书到期：此项目的 iPhone 全部失败，安卓正常。", ENUM),
    "apns_auth": Note(
        "The Apple key in the Firebase console was revoked, or its certificate has ended: all iPhones of the project fail, Android goes on.",
        "Firebase 控制台里的苹果密钥被吊销，或证书到期：此项目的 iPhone 全部失败，安卓正常。", ENUM),
    "third_party_auth_apns": Note(
        "Somebody uploaded the wrong Apple key (other team, other environment), or revoked it at Apple: all iPhones of the project fail.",
        "有人上传了错误的苹果密钥（别的团队或环境），或在苹果那里吊销了它：此项目的 iPhone 全部失败。", _thread(_ADMIN.format("node"), 3215)),
    "apns_setting": Note(
        "A change in the iPhone app's registration with Apple or Firebase: all iPhones of the project fail, Android goes on.",
        "iPhone 应用在苹果或 Firebase 的注册有变动：此项目的 iPhone 全部失败，安卓正常。", APPLE),
    "token_expired": Note(
        "One now and then heals by itself. When it keeps coming, this server's clock is wrong.",
        "偶尔一次会自行恢复。反复出现说明服务器时钟不准。", REASONS),
    "unauthenticated": Note(
        "The service account or its key was deleted, or a proxy removes the authorization header. Everything fails.",
        "服务账号或它的密钥被删除，或者代理去掉了 authorization 请求头。全部失败。", REASONS),
    "service_disabled": Note(
        "A new project, or somebody cleaned up the APIs of an old one. Everything of this project fails.",
        "新项目，或者有人清理了旧项目的 API。此项目的推送全部失败。", REASONS),
    "iam": Note(
        "Somebody changed the rights of the service account, or the project id has a typing mistake. Everything of this project fails.",
        "有人改了服务账号的权限，或者项目编号写错。此项目的推送全部失败。", REASONS),
    "scope_insufficient": Note(
        "The access token comes from code of our own, or from a machine that was started without this permission.",
        "访问令牌来自自己的代码，或来自启动时没有这项权限的机器。", REASONS),
    "permission_denied": Note(
        "Billing, a rule of the organisation, or a firewall's page in Google's name: the details show which.",
        "账单、组织规则，或防火墙冒充谷歌的页面：看详情就知道是哪一个。", CODES),
    "not_found": Note(
        "A wrong project id after a deployment, or a proxy. It never means the device, however many there are.",
        "部署之后项目编号写错，或者是代理。无论出现多少，都与设备无关。", _thread(_ADMIN.format("python"), 854)),
    "undocumented": Note(
        "Somebody else than Google answered: a proxy, a firewall's page, or a wrong address in the settings.",
        "响应的不是谷歌：代理、防火墙的页面，或设置里的地址有误。", RPC),
    "unimplemented": Note(
        "Google has switched off what was asked for, or the address in the settings is not Google's.",
        "谷歌已停用所请求的功能，或者设置里的地址不是谷歌的。", RPC),
    "unspecified": Note(
        "Google does not know either. If it lasts, give the full answer to Firebase support.",
        "谷歌自己也不清楚。如果持续出现，把完整响应交给 Firebase 支持。", ENUM),
    "iid_denied": Note(
        "One service account is used for several projects, which the old topic service cannot do.",
        "一个服务账号用于多个项目，而旧主题服务不支持。", _thread(_ADMIN.format("dotnet"), 546)),
    "iid_rate": Note(
        "An import subscribes a whole user base at once.",
        "某次导入一下子为全部用户订阅主题。", QUOTAS),
    "quota": Note(
        "A campaign goes out too fast, or on the full hour like everybody else's.",
        "活动发得太快，或者和大家一样都在整点发送。", ENUM),
    "quota_project": Note(
        "A campaign goes out faster than 600 000 messages a minute, or two programs share one project.",
        "活动发送超过每分钟 60 万条，或者两个程序共用一个项目。", _thread(_ADMIN.format("go"), 719)),
    "quota_topic": Note(
        "Several large topic messages at once: send them one after the other.",
        "同时发送几个大主题的消息：请一个接一个地发。", QUOTAS),
    "quota_device": Note(
        "One loop, or one busy conversation, sends to the same device again and again: look which recipient stands out.",
        "某个循环或某个热闹的会话反复发给同一台设备：看看哪个接收者特别多。", QUOTAS),
    "overload": Note(
        "Google is overloaded, often on the full hour: slow down, nothing is wrong here.",
        "谷歌过载，常在整点出现：放慢即可，这边没有问题。", SCALE),
    "quota_apns": Note(
        "One loop, or one busy conversation, sends to the same iPhone again and again.",
        "某个循环或某个热闹的会话反复发给同一台 iPhone。", APPLE),
    "internal": Note(
        "Trouble at Google: look at the Firebase status page. Nothing can be mended here.",
        "谷歌那边有故障：看看 Firebase 状态页。这边无事可修。", ENUM),
    "unavailable": Note(
        "Trouble at Google: look at the Firebase status page. Whoever sends everything again by hand sends many people two copies.",
        "谷歌那边有故障：看看 Firebase 状态页。手动全部重发会让很多人收到两份。", _thread(_ADMIN.format("node"), 1248)),
    "http_502": Note(
        "Trouble at Google, or at a proxy on the way there: the page in the details shows whose.",
        "谷歌或途中的代理有故障：详情里的页面能看出是谁的。", CODES),
    "deadline": Note(
        "Trouble at Google: look at the Firebase status page. Whoever sends everything again by hand sends many people two copies.",
        "谷歌那边有故障：看看 Firebase 状态页。手动全部重发会让很多人收到两份。", RPC),
    "http_408": Note(
        "This machine or its network is overloaded: requests leave too slowly.",
        "这台机器或它的网络过载：请求发得太慢。", CODES),
    "aborted": Note(
        "The same thing was changed twice at once, mostly a topic: it heals by itself.",
        "同一个东西（多半是主题）同时被改了两次：会自行恢复。", RPC),
    "cancelled": Note(
        "A proxy between here and Google gave up waiting.",
        "到谷歌之间的代理放弃了等待。", RPC),
    "server": Note(
        "Trouble at Google, or at a proxy on the way there: look at both.",
        "谷歌或途中的代理有故障：两处都看看。", CODES),
    "apns_server": Note(
        "Trouble at Apple: look at Apple's system status page. iPhones alone are affected.",
        "苹果那边有故障：看看苹果的系统状态页。只影响 iPhone。", APPLE),
    "iid_server": Note(
        "Trouble at Google's old topic service; it ends in 2027, so move to the newer one.",
        "谷歌的旧主题服务有故障；它将在 2027 年停用，请改用新的。", INSTANCE_ID),
    "malformed": Note(
        "A proxy or a captive network answers in Google's place, or connections break under load.",
        "代理或需要登录的网络冒充谷歌响应，或者连接在高负载下中断。", MESSAGE),
}
# fmt: on
"""By the key of the row."""
