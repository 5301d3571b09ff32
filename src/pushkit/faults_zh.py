"""The advice of ``faults`` and of delivery in Chinese. What has no entry here is shown in English."""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
ADVICE: Mapping[str, str] = {
    "Try again later: no connection to the push service could be made; check network, DNS and firewall if it lasts.": "稍后再试：无法连接推送服务；如果持续出现，请检查网络、DNS 和防火墙。",
    "Try again later: the push service did not take a connection in time; check network and firewall if it lasts.": "稍后再试：推送服务没有及时接受连接；如果持续出现，请检查网络和防火墙。",
    "Check the certificate store and any proxy in between: the push service's certificate is not trusted here.": "检查证书库和中间的代理：本机不信任推送服务的证书。",
    "Check this host: its name leads to an address that is not public, so nothing was sent there.": "检查这个主机：它的名字指向非公网地址，所以什么都没有发送。",
    "Try again shortly: the push service was too busy to take this push and did not process it.": "请稍后再试：推送服务太忙，没有接收也没有处理这条推送。",
    "Try again if a second copy does no harm: the push service did not answer in time and may have taken the push.": "如果收到两份无妨，可以再试：推送服务没有及时响应，可能已经收下。",
    "Try again if a second copy does no harm: the connection broke before the answer came.": "如果收到两份无妨，可以再试：连接在响应到达之前中断。",
    "Check the address of the push service: its answer was far longer than any push service's.": "检查推送服务的地址：它的响应比任何推送服务的都长得多。",
    "Try again later: the answer was no valid HTTP; check any proxy in between if it lasts.": "稍后再试：响应不是合法的 HTTP；如果持续出现，请检查中间的代理。",
    "Send it again if it still matters: the sender gave up before there was an answer.": "如果仍然需要，请重新发送：发送方在得到响应之前放弃了。",
    "Send it again with an open client: this one was closed before there was an answer.": "请用未关闭的客户端重新发送：这个客户端在得到响应之前被关闭了。",
    "Check how this credential is fetched: the code that fetches it raised an error.": "检查获取此凭据的代码：它抛出了错误。",
    "Report this: fetching a credential asked for one request after the other without an end.": "请报告：获取凭据时不断发出请求，没有结束。",
    "Repair the callable that makes the message: it gave none for this recipient.": "修复生成消息的函数：它没有为此接收者给出消息。",
    "Repair this row of the recipient list: it holds no target.": "修复接收者名单中的这一行：它不是接收者。",
    "Repair this row of the recipient list: its app is no text.": "修复接收者名单中的这一行：它的 app 不是文本。",
    "Pass the provider of this kind of target to the client in providers=[...].": "用 providers=[...] 把这种接收者的提供商传给客户端。",
    "Configure this app, or correct the app of these targets: the client knows none of that name.": "配置这个 app，或更正这些接收者的 app：客户端不认识这个名字。",
    "Correct this app's configuration: it cannot be used as it is.": "更正此 app 的配置：当前配置无法使用。",
    "Send it anew if it still matters: it was older than its ttl before it could be sent; raise ttl or send more at once if this happens often.": "如果仍然需要，请重新发送：在能发送之前它已超过有效期；如果经常出现，请延长有效期（ttl）或提高并发。",
    "Nothing to do: a later update for the same recipient was sent meanwhile.": "无需处理：期间已向同一接收者发送了更新的内容。",
    "Send it again if it still matters: the sender gave up before it was sent.": "如果仍然需要，请重新发送：发送方在发出之前放弃了。",
    "Send it again with an open client: this one was closed before it was sent.": "请用未关闭的客户端重新发送：这个客户端在发出之前被关闭了。",
    "Try again later: there was no room for this push in time, so it was not sent; raise max_in_flight or the deadline if this happens often.": "稍后再试：没有及时轮到这条推送，所以没有发送；如果经常出现，请提高 max_in_flight 或期限。",
    "Try again later: this push service failed so often that it is left alone for a moment.": "稍后再试：这个推送服务失败太多，暂时不再打扰它。",
    "Try again later: the push service asked for a pause that is not over yet.": "稍后再试：推送服务要求的暂停还没有结束。",
    "Report this: the code of this provider raised an error, so the push was not sent.": "请报告：此提供商的代码抛出了错误，推送没有发送。",
    "Try again later: the push service had no room for this push in time, so it was not sent.": "稍后再试：推送服务没有及时腾出位置，所以没有发送。",
    "Try again later: fetching the credential took too long; check how it is fetched if this lasts.": "稍后再试：获取凭据用时太久；如果持续出现，请检查获取方式。",
    "Try again later: so many pushes fail that repeating them all would only add to the load.": "稍后再试：失败太多，全部重试只会加重负担。",
    "Nothing more is sent with this credential until it works again.": "在此凭据恢复之前，不再用它发送。",
    "Leave dry_run off, or use check(): this provider offers no trial, it would deliver the push.": "不要使用 dry_run，或改用 check()：此提供商不提供试发，推送会真的送达。",
    "Give key and label as text.": "请用文本填写 key 和 label。",
    "Give an expires_at before the end of the year 9999, or leave it out.": "请填写公元 9999 年结束之前的 expires_at，或不填。",
    "Give ttl as seconds (0 or more) or a timedelta.": "请用秒数（不小于 0）或 timedelta 填写有效期（ttl）。",
    "Give expires_at as a datetime with a time zone, such as datetime.now(timezone.utc) + ….": "请用带时区的时间填写 expires_at，例如 datetime.now(timezone.utc) + …。",
}
# fmt: on
"""The English sentence of a row, to the Chinese one."""
