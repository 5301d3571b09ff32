"""What ``broadcast`` and ``report`` say around a report, in the languages that teams read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from pushkit.report.words import Language


@attrs.frozen(kw_only=True)
class Words:
    """Templates for ``str.format``."""

    categories: Mapping[str, str]
    rate: str
    stopping: str
    skipped: str
    repeated: str
    twice: str
    left_out: str
    in_doubt: str
    more: str
    comma: str
    ours: str
    again: str
    goes_on: str
    stopped: str
    mended: str
    anew: str
    unrecorded: str
    dry_run: str
    complete: str


EN: Final = Words(
    categories={"accepted": "accepted", "technical": "technical", "payload": "payload", "recipient": "recipient"},
    rate="{speed}/s",
    stopping="Stopping: what is under way ends. Ctrl-C again: do not wait for it.",
    skipped="Rows that had ended in an earlier run and were not sent again: {count:,}.",
    repeated="Rows that repeat an address and were left out: {count:,}.",
    twice="Rows that were sent again after a kill or an open outcome, and may have arrived more than once: {count:,}. {rows}",
    left_out="Rows that an earlier run may have sent and that were left out: {count:,}. {rows}",
    in_doubt="In doubt (begun, no outcome: killed, or still running): {count:,}. {rows}",
    more=" and {count:,} more (--json names them)",
    comma=", ",
    ours="Failed because of our own credentials or configuration: {count:,}. Mend it (doctor shows what is wrong); the same command sends them then.",
    again="Can be sent again later: {count:,}. The same command does it when their time has come.",
    goes_on="Stopped before the end of the list. The same command goes on from here (result file {result}).",
    stopped="Stopped before the end of the list: {why}",
    mended="Once that is mended or over, the same command goes on from here (result file {result}).",
    anew="A corrected message or list is another broadcast; give it a result file of its own ({result} stays with this one).",
    unrecorded="Rows whose outcome is not in the result file: {count:,}. They count as in doubt; going on names them.",
    dry_run="A dry run: nothing was sent.",
    complete="Everybody on the list is accounted for in {result}.",
)

ZH: Final = Words(
    categories={"accepted": "已接受", "technical": "技术", "payload": "内容", "recipient": "接收者"},
    rate="{speed} 条/秒",
    stopping="正在停止：等待已发出的推送结束。再按一次 Ctrl-C 则不再等待。",
    skipped="此前已有结果、未再发送的行：{count:,}。",
    repeated="地址重复、已略过的行：{count:,}。",
    twice="中断后或结果不明后再次发送、可能收到不止一次的行：{count:,}。{rows}",
    left_out="此前可能已发送、本次略过的行：{count:,}。{rows}",
    in_doubt="存疑（已开始但没有结果：进程被终止，或仍在运行）：{count:,}。{rows}",
    more="，另有 {count:,} 行（见 --json）",
    comma="、",
    ours="因我们自己的凭据或配置而失败：{count:,}。请先修正（doctor 会指出问题），再运行同一命令即可补发。",
    again="稍后可以再次发送：{count:,}。到时间后运行同一命令即可。",
    goes_on="在名单结束之前停止。运行同一命令即可从此处继续（结果文件 {result}）。",
    stopped="在名单结束之前停止：{why}",
    mended="问题解决或恢复后，运行同一命令即可从此处继续（结果文件 {result}）。",
    anew="修正后的消息或名单是另一次群发，请为它另指定结果文件（{result} 属于这一次）。",
    unrecorded="结果未能写入结果文件的行：{count:,}。它们视为存疑，继续运行时会列出。",
    dry_run="试运行：没有发送任何内容。",
    complete="名单上的每一行都记录在 {result} 中。",
)


def words_of(language: Language) -> Words:
    """The words of a language."""
    return ZH if language == "zh" else EN
