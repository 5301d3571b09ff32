"""The advice of ``faults`` in Chinese. What has no entry here is shown in English."""

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
    "Report this: the code of this provider raised an error, so the push was not sent.": "请报告：此提供商的代码抛出了错误，推送没有发送。",
    "Try again later: the push service had no room for this push in time, so it was not sent.": "稍后再试：推送服务没有及时腾出位置，所以没有发送。",
}
# fmt: on
"""The English sentence of a row, to the Chinese one."""
