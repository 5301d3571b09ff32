"""
What each answer in ``reasons`` usually means at night, and Apple's page for it.

For the handbook (``python -m pushkit explain`` and the documentation); a client never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pushkit.notes import Note, Source, rfc

_DOCS = "https://developer.apple.com/documentation/usernotifications/"
ANSWERS: Final = Source("Apple, Handling notification responses from APNs", f"{_DOCS}handling-notification-responses-from-apns")
BROADCAST: Final = Source("Apple, Handling error responses from APNs (broadcast)", f"{_DOCS}handling-error-responses-from-apns")
SIZES: Final = Source("Apple, Generating a remote notification", f"{_DOCS}generating-a-remote-notification")
TOKENS: Final = Source("Apple, Establishing a token-based connection to APNs", f"{_DOCS}establishing-a-token-based-connection-to-apns")
CERTIFICATES: Final = Source(
    "Apple, Establishing a certificate-based connection to APNs", f"{_DOCS}establishing-a-certificate-based-connection-to-apns"
)
SENDING: Final = Source("Apple, Sending notification requests to APNs", f"{_DOCS}sending-notification-requests-to-apns")
CHANNELS: Final = Source("Apple, Sending channel management requests to APNs", f"{_DOCS}sending-channel-management-requests-to-apns")
SEEN: Final = Source("APNSwift, pull request 229 (seen in live traffic)", "https://github.com/swift-server-community/APNSwift/pull/229")

# fmt: off
NOTES: Mapping[str, Note] = {
    "BadCollapseId": Note(
        "A template makes the collapse id out of something long, such as a title or a web address; every push of that template fails.",
        "多半是某个模板用很长的内容（标题、网址等）拼成 collapse id，用这个模板的推送会全部失败。", ANSWERS),
    "BadDeviceToken": Note(
        "A few: tokens that were damaged on the way into the database. Many, right after a release or deployment: tokens of development builds go to Apple's live service, or the reverse.",
        "少量：token 在入库途中损坏。发布或部署之后大量出现：开发版应用的 token 被发到了正式环境，或者反过来。", ANSWERS),
    "BadExpirationDate": Note(
        "A header written by hand holds milliseconds or text, or a lifetime was given to a channel that stores nothing.",
        "手写的请求头里填了毫秒或文字，或者给不保存消息的频道设了有效期。", ANSWERS),
    "BadMessageId": Note(
        "Somebody put an id of their own, such as an order number, where Apple wants a UUID.",
        "有人把自己的编号（例如订单号）填到了苹果要求 UUID 的地方。", ANSWERS),
    "BadPriority": Note(
        "A background push was given high priority by a header written by hand.",
        "手写的请求头把后台推送设成了高优先级。", ANSWERS),
    "BadTopic": Note(
        "A typing mistake in the app id, or a suffix that does not fit the kind of push; everything of this app fails until it is corrected.",
        "应用标识写错，或后缀与推送类型不符；更正之前，这个应用的推送全部失败。", ANSWERS),
    "DeviceTokenNotForTopic": Note(
        "Many: the topic in the settings was changed, or one sender serves two apps (live and beta) and mixes up their devices. A few: another app's devices in the same list.",
        "大量：设置里的 topic 被改过，或者同一个发送端服务两个应用（正式版和测试版）而设备混在一起。少量：名单里混入了另一个应用的设备。", ANSWERS),
    "DuplicateHeaders": Note(
        "Rare. A proxy between here and Apple adds headers of its own.",
        "少见。到苹果之间的代理自己加了请求头。", ANSWERS),
    "IdleTimeout": Note(
        "Ordinary after a quiet stretch: nobody has to get up.",
        "一段时间没有发送之后的正常现象：不必起床。", ANSWERS),
    "InvalidPushType": Note(
        "A push type written by hand and misspelt, or something else than a Live Activity update sent to a channel.",
        "手写的推送类型拼错，或者向频道发送了实时活动更新以外的内容。", ANSWERS),
    "MissingDeviceToken": Note(
        "Rows with an empty token: something stores devices before they have one.",
        "名单里有空的 token：有程序在设备拿到 token 之前就保存了它。", ANSWERS),
    "MissingTopic": Note(
        "A new app or environment was set up without its topic; everything of this app fails.",
        "新应用或新环境没有配置 topic；这个应用的推送全部失败。", ANSWERS),
    "PayloadEmpty": Note(
        "A message put together by hand (apns.Push) had no content.",
        "自己拼装的消息（apns.Push）没有内容。", ANSWERS),
    "TopicDisallowed": Note(
        "The first sending of a new app, or a key that is limited to other apps; nothing of this app gets through until the account is changed.",
        "新应用第一次发送，或者密钥只限于别的应用；改好账号之前，这个应用的推送都发不出去。", ANSWERS),
    "BadCertificate": Note(
        "The certificate has ended (they last one year) or was revoked: look at its date first. Everything of this app fails until it is replaced.",
        "证书到期（有效期一年）或被吊销：先看它的日期。更换之前，这个应用的推送全部失败。", CERTIFICATES),
    "BadCertificateEnvironment": Note(
        "After a deployment: the test certificate got into the live settings, or the reverse. Everything of this app fails.",
        "部署之后出现：测试证书进了正式环境的设置，或者反过来。这个应用的推送全部失败。", ANSWERS),
    "ExpiredProviderToken": Note(
        "One now and then heals by itself. When it keeps coming, this server's clock is wrong: look whether time synchronisation has stopped.",
        "偶尔一次会自行恢复。反复出现说明服务器时钟不准：看看时间同步是否停了。", TOKENS),
    "Forbidden": Note(
        "Something changed in the Apple developer account: ask who last touched the key or its rights.",
        "苹果开发者账号里有变动：问问最近谁动过密钥或它的权限。", ANSWERS),
    "InvalidProviderToken": Note(
        "After a deployment or a change of keys: key file, key id and team id do not belong together, or the key was revoked. Everything with this key fails.",
        "部署或更换密钥之后出现：密钥文件、key id 和 team id 不配套，或密钥已被吊销。使用此密钥的推送全部失败。", TOKENS),
    "MissingProviderToken": Note(
        "A new proxy or gateway removes the authorization header: ask what changed in the network.",
        "新的代理或网关去掉了 authorization 请求头：问问网络有什么变动。", ANSWERS),
    "UnrelatedKeyIdInToken": Note(
        "A key was changed while connections made with the old one were open; it heals by itself.",
        "更换密钥时，用旧密钥打开的连接还在；会自行恢复。", TOKENS),
    "BadEnvironmentKeyIdInToken": Note(
        "After a deployment: a key that Apple made for the test environment is used for the live one, or the reverse. Everything with this key fails.",
        "部署之后出现：把苹果为测试环境签发的密钥用到了正式环境，或者反过来。使用此密钥的推送全部失败。", TOKENS),
    "BadEnvironmentKeyInToken": Note(
        "After a deployment: a key that Apple made for the test environment is used for the live one, or the reverse. Everything with this key fails.",
        "部署之后出现：把苹果为测试环境签发的密钥用到了正式环境，或者反过来。使用此密钥的推送全部失败。", SEEN),
    "TopicMismatch": Note(
        "Settings copied from another app: the broadcast names an app that this key or certificate was not made for.",
        "设置是从别的应用复制来的：广播所写的应用不属于这个密钥或证书。", BROADCAST),
    "BadPath": Note(
        "The address in the settings has a path of its own, or a proxy rewrites paths.",
        "设置里的地址自带路径，或者代理改写了路径。", ANSWERS),
    "MethodNotAllowed": Note(
        "A proxy in between changes the request, or a mistake of pushkit's.",
        "中间的代理改动了请求，或者是 pushkit 的错误。", ANSWERS),
    "ExpiredToken": Note(
        "Everyday: a device that nobody has used for long. Look first only if a wave of them follows a change of environment or app.",
        "日常现象：很久没人使用的设备。只有在更改环境或应用之后成批出现时，才需要先查一查。", ANSWERS),
    "Unregistered": Note(
        "Everyday: people delete apps. Many at once are normal after a long time without sending, and for a list that was never cleaned.",
        "日常现象：有人卸载了应用。很久没有发送、或名单从未清理过时，一次出现很多也正常。", ANSWERS),
    "PayloadTooLarge": Note(
        "A campaign with a long text, or data that grew (a whole object instead of its id); every push of it fails.",
        "某个活动的文字太长，或附带的数据变大（整个对象而不是编号）；它的推送会全部失败。", SIZES),
    "TooManyProviderTokenUpdates": Note(
        "Something makes a sign-in token for each process, request or restart: many short-lived workers, a crash loop, or another program with the same key.",
        "有程序为每个进程、每个请求或每次重启都生成身份验证令牌：大量短命的工作进程、崩溃循环，或另一个使用同一密钥的程序。", TOKENS),
    "TooManyRequests": Note(
        "One loop, or one busy conversation, sends to the same device again and again: look which recipient or campaign stands out.",
        "某个循环或某个热闹的会话反复发给同一台设备：看看哪个接收者或活动特别多。", ANSWERS),
    "InternalServerError": Note(
        "Trouble at Apple: look at Apple's system status page. Nothing can be mended here.",
        "苹果那边有故障：看看苹果的系统状态页。这边无事可修。", ANSWERS),
    "ServiceUnavailable": Note(
        "Trouble at Apple: look at Apple's system status page. Nothing can be mended here.",
        "苹果那边有故障：看看苹果的系统状态页。这边无事可修。", ANSWERS),
    "Shutdown": Note(
        "Ordinary: one of Apple's servers is being maintained and the next one takes over. Only if it lasts is there an outage.",
        "正常：苹果的一台服务器在维护，由下一台接替。持续出现才是故障。", ANSWERS),
    "FeatureNotEnabled": Note(
        "The first broadcast of a new app, or somebody switched broadcasts off (which deletes the app's channels for good).",
        "新应用第一次广播，或者有人关闭了广播功能（应用的频道会被永久删除）。", BROADCAST),
    "MissingChannelId": Note(
        "Rare. A proxy in between removes headers, or a mistake of pushkit's.",
        "少见。中间的代理去掉了请求头，或者是 pushkit 的错误。", BROADCAST),
    "BadChannelId": Note(
        "The place where channel ids are stored cuts them short or changes their letters.",
        "保存频道编号的地方把它截短了，或改动了字母大小写。", BROADCAST),
    "ChannelNotRegistered": Note(
        "One: somebody deleted the channel. All: the environment was changed, and channels exist in one environment only.",
        "一个：有人删除了该频道。全部：环境被更改，而频道只存在于一个环境中。", BROADCAST),
    "BadRequestParams": Note(
        "Rare. Apple changed what it takes, or a mistake of pushkit's.",
        "少见。苹果改变了所接受的内容，或者是 pushkit 的错误。", BROADCAST),
    "BadRequestPayload": Note(
        "Rare. A proxy in between cuts the request short, or a mistake of pushkit's.",
        "少见。中间的代理截断了请求，或者是 pushkit 的错误。", BROADCAST),
    "MissingPushType": Note(
        "Rare. A proxy in between removes headers, or a mistake of pushkit's.",
        "少见。中间的代理去掉了请求头，或者是 pushkit 的错误。", BROADCAST),
    "CannotCreateChannelConfig": Note(
        "What should delete the channels of finished events has stopped working, or makes one for each user.",
        "本应清理已结束活动频道的程序停了，或者有程序为每个用户都建一个频道。", CHANNELS),
    "http_400": Note(
        "A refusal that Apple added lately: look the word up on Apple's page, and for a newer pushkit.",
        "苹果新增的拒绝原因：在苹果的页面上查这个词，并看看有没有新版 pushkit。", ANSWERS),
    "http_401": Note(
        "Not one of Apple's answers: something in between asks for a sign-in.",
        "这不是苹果的响应：中间有东西要求登录。", ANSWERS),
    "http_403": Note(
        "The sign-in or the rights of the key: ask what changed in the Apple developer account or in the settings.",
        "身份验证或密钥权限的问题：问问苹果开发者账号或设置有什么变动。", ANSWERS),
    "http_407": Note(
        "A proxy is new, or its password has changed. Nothing gets out.",
        "代理是新装的，或它的密码改了。什么都发不出去。", rfc(9110, "15.5.8")),
    "http_408": Note(
        "This machine or its network is overloaded: requests leave too slowly.",
        "这台机器或它的网络过载：请求发得太慢。", rfc(9110, "15.5.9")),
    "http_410": Note(
        "Everyday, in a word that Apple added lately.", "日常现象，只是苹果新增了一个词。", ANSWERS),
    "http_410 unclear": Note(
        "A proxy or a wrong address in the settings answers in Apple's place: look which, before anything is removed.",
        "代理或设置里错误的地址冒充苹果响应：移除之前先查清是哪一个。", ANSWERS),
    "http_421": Note(
        "A proxy in between mixes up connections; one now and then heals by itself.",
        "中间的代理把连接弄混了；偶尔一次会自行恢复。", rfc(9110, "15.5.20")),
    "http_429": Note(
        "Too much at once to one device, or a proxy with a limit of its own.",
        "一次向同一台设备发得太多，或者代理有自己的限制。", ANSWERS),
    "http_4xx": Note(
        "Somebody else than Apple answered: a proxy, a firewall's page, or a wrong address in the settings.",
        "响应的不是苹果：代理、防火墙的页面，或设置里的地址有误。", SENDING),
    "http_5xx": Note(
        "Trouble at Apple, or at a proxy on the way there: look at both.",
        "苹果或途中的代理有故障：两处都看看。", ANSWERS),
}
# fmt: on
"""By reason; answers that have none by ``http_`` and their status."""
