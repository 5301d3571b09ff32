"""
``{reasons} apns``: a provider's table of answers, straight from the code. Each row has an anchor.

``{reasons} apns zh`` is the same in Chinese.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from pushkit.cli.explain_text import facts, headline, spoken_by
from pushkit.cli.handbook import SOURCES, Entry, entries

COLUMNS = {
    "en": (("status", 10), ("reason", 27), ("what it means and what to do", 63)),
    "zh": (("状态码", 10), ("原因", 27), ("含义与处理", 63)),
}
SERVICES = {"en": "any service (RFC 8030)", "zh": "任何推送服务（RFC 8030）"}


class ReasonTable(Directive):
    required_arguments = 1
    optional_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        provider = self.arguments[0]
        language = self.arguments[1] if len(self.arguments) > 1 else "en"
        title, url = SOURCES[provider]
        source = nodes.paragraph("", spoken_by(language).source, nodes.reference("", title, refuri=url))
        rows = entries(provider)
        services = list(dict.fromkeys(row.service for row in rows))
        found: list[nodes.Node] = [source]
        for service in services:
            if service:
                found.append(nodes.rubric("", SERVICES[language] if service == "rfc" else service.capitalize()))
            found.append(table([row for row in rows if row.service == service], language))
        return found


def table(rows: list[Entry], language: str) -> nodes.table:
    made = nodes.table(classes=["reasons", "colwidths-given"])
    columns = COLUMNS[language]
    group = nodes.tgroup(cols=len(columns))
    made += group
    group += [nodes.colspec(colwidth=width) for _, width in columns]
    head = nodes.thead()
    group += head
    head += line([[nodes.paragraph("", name)] for name, _ in columns])
    body = nodes.tbody()
    group += body
    for row in rows:
        link = nodes.reference("", "", nodes.literal("", row.reason), refid=row.anchor, classes=["reason"])
        reason = nodes.paragraph("", "", link)
        if row.told_by:
            reason += nodes.Text(f" ({row.told_by})")
        cells: list[list[nodes.Node]] = [[nodes.paragraph("", str(row.status or ""))], [reason], described(row, language)]
        made_row = line(cells)
        made_row["ids"] = [row.anchor]
        body += made_row
    return made


def described(row: Entry, language: str) -> list[nodes.Node]:
    """What ``explain`` says of a row, in the same words and order."""
    values, say = row.as_dict(), spoken_by(language)
    listed = nodes.line_block()
    for name, text in facts(values, values, language):
        listed += nodes.line("", "", nodes.emphasis("", name), nodes.Text(f"{say.colon}{text}"))
    title, url = row.source.title, row.source.url
    listed += nodes.line("", say.source, nodes.reference("", title, refuri=url) if url else nodes.Text(say.own_rule))
    return [
        nodes.paragraph("", "", nodes.strong("", headline(values, language))),
        nodes.paragraph("", row.advice_zh if language == "zh" else row.advice),
        listed,
    ]


def line(cells: list[list[nodes.Node]]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", *cell)
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("reasons", ReasonTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
