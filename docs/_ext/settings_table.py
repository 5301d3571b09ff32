"""``{settings}``: the command line's configuration, straight from its schema."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from pushkit.cli.settings import SETTINGS

COLUMNS = (("in pushkit.toml", 30), ("in the environment", 32), ("meaning", 38))


class SettingsTable(Directive):
    def run(self) -> list[nodes.Node]:
        table = nodes.table()
        group = nodes.tgroup(cols=len(COLUMNS))
        table += group
        group += [nodes.colspec(colwidth=width) for _, width in COLUMNS]
        head, body = nodes.thead(), nodes.tbody()
        head += _row([nodes.paragraph("", name) for name, _ in COLUMNS])
        group += [head, body]
        for setting in SETTINGS:
            name = (
                nodes.paragraph("", "environment only: a secret")
                if setting.secret
                else nodes.paragraph("", "", nodes.literal("", f"{setting.section}.{setting.name}"))
            )
            body += _row([name, nodes.paragraph("", "", nodes.literal("", setting.variable)), nodes.paragraph("", setting.meaning)])
        return [table]


def _row(cells: list[nodes.Node]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", cell)
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("settings", SettingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
