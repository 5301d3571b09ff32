"""``{reasons} apns``: a provider's table of answers, straight from the code. Each row has an anchor."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from pushkit.cli.handbook import SOURCES, Entry, entries

COLUMNS = (("status", 10), ("reason", 27), ("what to do", 63))
GOT_IT = {"rejected": "", "unknown": " It may have been taken all the same.", "not_sent": " It was not sent."}


class ReasonTable(Directive):
    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        provider = self.arguments[0]
        title, url = SOURCES[provider]
        source = nodes.paragraph("", "Source: ", nodes.reference("", title, refuri=url), nodes.Text("."))
        rows = entries(provider)
        services = list(dict.fromkeys(row.service for row in rows))
        found: list[nodes.Node] = [source]
        for service in services:
            if service:
                name = "any service (RFC 8030)" if service == "rfc" else service.capitalize()
                found.append(nodes.rubric("", name))
            found.append(table([row for row in rows if row.service == service]))
        return found


def table(rows: list[Entry]) -> nodes.table:
    made = nodes.table(classes=["reasons", "colwidths-given"])
    group = nodes.tgroup(cols=len(COLUMNS))
    made += group
    group += [nodes.colspec(colwidth=width) for _, width in COLUMNS]
    head = nodes.thead()
    group += head
    head += line([[nodes.paragraph("", name)] for name, _ in COLUMNS])
    body = nodes.tbody()
    group += body
    for row in rows:
        reason = nodes.paragraph("", "", nodes.literal("", row.reason))
        if row.evidence:
            reason += nodes.Text(f" ({row.evidence})")
        again = "" if row.floor is None else ", again at once" if row.floor == 0 else f", again after {row.floor:g} s"
        scope = f" ({row.scope.value})" if row.scope else ""
        sorted_as = f"{row.category.value}{scope}: {row.action.value.replace('_', ' ')}{again}"
        advice = nodes.paragraph("", row.advice + GOT_IT[row.disposition.value])
        if row.meaning:
            advice += [nodes.Text(" "), nodes.emphasis("", row.meaning)]
        cells: list[list[nodes.Node]] = [
            [nodes.paragraph("", str(row.status or ""))],
            [reason],
            [nodes.paragraph("", "", nodes.strong("", sorted_as)), advice],
        ]
        made_row = line(cells)
        made_row["ids"] = [row.anchor]
        body += made_row
    return made


def line(cells: list[list[nodes.Node]]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", *cell)
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("reasons", ReasonTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
