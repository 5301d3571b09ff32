"""``{mapping}``: what each provider makes of each portable field, straight from the linter's table."""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from pushkit.preview.mapping import COLUMNS, LOCALIZED, TABLE, Cell, Row

WIDTHS = (("field", 14), ("APNs", 24), ("FCM", 38), ("Web Push", 24))
NAMES = {"fcm_android": "Android", "fcm_ios": "iPhone", "fcm_browsers": "browsers"}
FIELDS = {LOCALIZED: ("a text that is", LOCALIZED), "ttl": ("", "ttl, expires_at")}


class MappingTable(Directive):
    def run(self) -> list[nodes.Node]:
        made = nodes.table(classes=["mapping", "colwidths-given"])
        group = nodes.tgroup(cols=len(WIDTHS))
        made += group
        group += [nodes.colspec(colwidth=width) for _, width in WIDTHS]
        head, body = nodes.thead(), nodes.tbody()
        head += _line([[nodes.paragraph("", name)] for name, _ in WIDTHS])
        body += [_line([_field(row), *_cells(row)]) for row in TABLE]
        group += [head, body]
        return [made]


def _cells(row: Row) -> list[list[nodes.Node]]:
    fcm = [(NAMES[name], row.cell(name)) for name, column in COLUMNS.items() if column.provider == "fcm"]
    same = all(cell == fcm[0][1] for _, cell in fcm)
    of_fcm = _said(fcm[0][1]) if same else [node for name, cell in fcm for node in _said(cell, name)]
    return [_said(row.apns), of_fcm, _said(row.webpush)]


def _field(row: Row) -> list[nodes.Node]:
    before, name = FIELDS.get(row.field, ("", row.field))
    words = nodes.paragraph("", f"{before} " if before else "")
    for number, part in enumerate(name.split(", ")):
        words += [nodes.Text(", " if number else ""), nodes.literal("", part)]
    return [words]


def _said(cell: Cell, platform: str = "") -> list[nodes.Node]:
    first = nodes.paragraph()
    if platform:
        first += [nodes.strong("", platform), nodes.Text(": ")]
    for number, place in enumerate(cell.places):
        first += [nodes.Text(", " if number else ""), nodes.literal("", place)]
    if cell.how:
        first += nodes.Text(f" ({cell.how})" if cell.places else cell.how)
    elif not cell.places:
        first += nodes.Text("not sent")
    if cell.lost:
        first += nodes.Text(f". {cell.lost}")
    if cell.app:
        first += [nodes.Text(". "), nodes.emphasis("", cell.app)]
    return [first]


def _line(cells: list[list[nodes.Node]]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", *cell)
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("mapping", MappingTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
