"""The advice of ``reasons`` in Chinese. What has no entry here is shown in English."""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
ADVICE: Mapping[str, str] = {
    "Shorten the key that lets this message replace an earlier one (collapse id) to at most 64 bytes.": "把用于替换旧消息的标识（collapse id）缩短到最多 64 字节。",
    "Check that the app build and the chosen Apple environment (test or live) match before you remove this device.": "移除此设备之前，先确认应用构建与所选的苹果环境（测试或正式）一致。",
    "Set an expiry time that Apple accepts; it must be 0 for a channel that stores no messages.": "设置苹果能接受的过期时间；对于不保存消息的频道必须为 0。",
    "Use a standard UUID as the message id, or leave the id out so that one is made for you.": "消息编号请使用标准 UUID，或者不填，由系统生成。",
    "Choose a priority that Apple allows, and never high for a silent background push.": "选择苹果允许的优先级；静默的后台推送绝不能用高优先级。",
    "Correct the app id (topic) in the settings: Apple does not accept the one that was sent.": "更正设置中的应用标识（topic）：苹果不接受发送时所用的值。",
    "Check the app id in the settings before you remove this device: it registered with a different app.": "移除此设备之前，先检查设置中的应用标识：它是在另一个应用里注册的。",
    "Report this to the pushkit maintainers: the request said something twice that Apple allows only once.": "请报告给 pushkit 维护者：请求里有一项出现了两次，苹果只允许一次。",
    "Try again at once: the connection to Apple had been idle for too long, and the message itself is fine.": "请立即重试：与苹果的连接闲置太久，消息本身没有问题。",
    "Choose a push type that Apple documents; a channel takes Live Activity updates only.": "选择苹果文档中的推送类型；频道只接受实时活动（Live Activity）更新。",
    "Check this recipient's stored address: Apple received the push without one.": "检查这个接收者保存的地址：苹果收到的推送里没有地址。",
    "Add the app id (topic) to the settings: Apple must know which app the push is for.": "在设置中填写应用标识（topic）：苹果必须知道推送属于哪个应用。",
    "Add content to the message: it reached Apple empty.": "给消息加上内容：到达苹果时它是空的。",
    "Allow this key or certificate to send to this app id in your Apple developer account.": "在苹果开发者账号中，允许这个密钥或证书向此应用标识发送。",
    "Replace the Apple push certificate: Apple rejects the one in use.": "更换苹果推送证书：苹果拒绝当前使用的证书。",
    "Switch the environment (test or live) in the settings, or use the certificate made for this one.": "在设置中切换环境（测试或正式），或者使用为此环境制作的证书。",
    "Try again at once with a fresh sign-in token; if it repeats, set the server's clock right.": "请立即用新的登录令牌重试；如果再次出现，请校准服务器时钟。",
    "Check in your Apple developer account what this key may do: Apple does not permit this action.": "在苹果开发者账号中检查这个密钥的权限：苹果不允许此操作。",
    "Check the Apple key file, key id and team id: Apple cannot verify the sign-in made from them.": "检查苹果密钥文件、密钥编号（key id）和团队编号（team id）：苹果无法验证由它们生成的签名。",
    "Check the proxy and connection settings: the sign-in to Apple got lost on the way.": "检查代理和连接设置：发给苹果的登录信息在途中丢失了。",
    "Try again at once over a new connection: the present one was opened with a different Apple key.": "请立即用新连接重试：当前连接是用另一把苹果密钥打开的。",
    "Switch the environment (test or live) in the settings, or use a key that Apple made for this one.": "在设置中切换环境（测试或正式），或者使用苹果为此环境签发的密钥。",
    "Correct the app id in the settings, or use a key or certificate that covers this app.": "更正设置中的应用标识，或者使用覆盖此应用的密钥或证书。",
    "Report this to the pushkit maintainers: the request went to an address that Apple does not have.": "请报告给 pushkit 维护者：请求发到了苹果没有的地址。",
    "Report this to the pushkit maintainers: Apple does not take this kind of request.": "请报告给 pushkit 维护者：苹果不接受这种请求。",
    "Remove this device unless it registered again since: its address has expired.": "除非此设备之后又重新注册，否则请移除：它的地址已过期。",
    "Remove this device unless it registered again since: the app no longer takes pushes there.": "除非此设备之后又重新注册，否则请移除：应用不再从那里接收推送。",
    "Shorten the message: Apple takes at most 4 KB, or 5 KB for incoming calls and channel broadcasts.": "缩短消息：苹果最多接受 4 KB，来电和频道广播为 5 KB。",
    "Wait 20 minutes, and keep each sign-in token at least that long: Apple saw too many new ones.": "等待 20 分钟，并让每个登录令牌至少使用这么久：苹果看到的新令牌太多。",
    "Wait a minute and send less often to this device or channel; keep it, there is nothing wrong with it.": "等一分钟，并减少向此设备或频道发送的次数；请保留它，它没有问题。",
    "Wait about 15 minutes and try again: Apple's service had an internal error.": "等大约 15 分钟再试：苹果的服务发生内部错误。",
    "Wait about 15 minutes and try again: Apple's service is not available at the moment.": "等大约 15 分钟再试：苹果的服务暂时不可用。",
    "Wait about 15 minutes and try again: the Apple server in use is shutting down.": "等大约 15 分钟再试：所用的苹果服务器正在关闭。",
    "Switch on broadcasts for this app in the Apple developer account.": "在苹果开发者账号中为此应用开启广播功能。",
    "Report this to the pushkit maintainers: the broadcast left without the name of its channel.": "请报告给 pushkit 维护者：广播发出时没有频道名称。",
    "Remove or correct the stored channel id: it is damaged or too long.": "移除或更正保存的频道编号：它已损坏或太长。",
    "Check that the channel belongs to this Apple environment (test or live) before you remove its id.": "移除频道编号之前，先确认该频道属于这个苹果环境（测试或正式）。",
    "Report this to the pushkit maintainers: the channel request held a field that Apple does not know.": "请报告给 pushkit 维护者：频道请求中有苹果不认识的字段。",
    "Report this to the pushkit maintainers: Apple could not read the request.": "请报告给 pushkit 维护者：苹果无法读取请求。",
    "Report this to the pushkit maintainers: the request left without its push type.": "请报告给 pushkit 维护者：请求发出时没有推送类型。",
    "Delete finished channels before you make new ones: the app has reached Apple's limit of 10,000.": "新建频道之前先删除不用的频道：应用已达到苹果 10,000 个的上限。",
    "Check the message and its options: Apple refuses it for a new reason, named here.": "检查消息及其选项：苹果以一个新的原因拒绝了它（见原因名称）。",
    "Check key, certificate and settings: Apple refuses the sign-in for a new reason, named here.": "检查密钥、证书和设置：苹果以一个新的原因拒绝登录（见原因名称）。",
    "Give the proxy its user and password: it asks for them and APNs was not reached.": "为代理填写用户名和密码：代理要求登录，请求没有到达 APNs。",
    "Try again: the request did not arrive in time.": "请重试：请求没有及时到达。",
    "Remove this device unless it registered again since: Apple says that it is gone.": "除非此设备之后又重新注册，否则请移除：苹果说它已经不在了。",
    "Try again: the request went out on the wrong connection.": "请重试：请求走错了连接。",
    "Wait a minute and send less often: Apple asks for fewer pushes.": "等一分钟并减少发送：苹果要求少发一些。",
    "Wait about 15 minutes and try again: Apple's service, or something in front of it, has trouble.": "等大约 15 分钟再试：苹果的服务或它前面的某个环节出了问题。",
    "Check the configured address and any proxy in between: whoever answered was not APNs.": "检查配置的地址和中间的代理：作答的不是 APNs。",
}
"""The English sentence of a row, to the Chinese one."""

NUMBERED: Mapping[str, str] = {
    "Shorten the message: its {} bytes are more than the {} that Apple takes for this kind of push.": "缩短消息：它有 {} 字节，超过了苹果对这类推送接受的 {} 字节。",
    "Set the clock of this server right: it is {} minutes ahead, so Apple refuses every sign-in token it makes.": "校准这台服务器的时钟：它快了 {} 分钟，所以苹果拒绝它生成的每个登录令牌。",
    "Set the clock of this server right: it is {} minutes behind, so Apple refuses every sign-in token it makes.": "校准这台服务器的时钟：它慢了 {} 分钟，所以苹果拒绝它生成的每个登录令牌。",
}
# fmt: on
"""Sentences that are no row's, since they name a size or a time: ``{}`` stands for each number."""
