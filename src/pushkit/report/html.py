"""
A report as one self-contained page: no script, no request, light and dark, printable.

A content security policy in the page forbids everything but its own style sheet, so that nothing a
stranger wrote into a reason or a reference could run even if it were not escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from pushkit._version import __version__
from pushkit.report import charts
from pushkit.report.tally import LATENCY_BOUNDS
from pushkit.report.view import Section, View, row_name, seconds_text

if TYPE_CHECKING:
    from pushkit.report.core import Report
    from pushkit.report.words import Words

_CAUSES = 15

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1f26; --soft: #5d6472; --line: #d9dde5; --alarm: #fff1d6; --alarm-line: #d98e04;
  --accepted: #2f9e63; --technical: #d94841; --payload: #8a5cd1; --recipient: #2f74c0; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --ink: #e7eaf0; --soft: #9aa3b2; --line: #333a46; --alarm: #3a2d10; --alarm-line: #e0a030;
  --accepted: #45b97c; --technical: #ef6a63; --payload: #a883e6; --recipient: #5b9be0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.headline { font-size: 1.2rem; margin: 0 0 1rem; } .soft { color: var(--soft); font-size: .875rem; }
.alarm { background: var(--alarm); border-left: 4px solid var(--alarm-line); padding: .75rem 1rem; margin: 1rem 0; } .alarm p { margin: 0; font-weight: 600; }
.alarm ul, .changes ul { margin: .4rem 0 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; } th { text-align: left; color: var(--soft); font-weight: 500; font-size: .8125rem; }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } tr.all td { font-weight: 600; }
table.groups { table-layout: fixed; } .groups th:nth-child(1) { width: 9%; } .groups th:nth-child(2) { width: 27%; } .groups th:nth-child(4) { width: 20%; }
.what { font-weight: 600; overflow-wrap: anywhere; } .do, .refs { overflow-wrap: anywhere; }
.tag { display: inline-block; font-weight: 400; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-size: .75rem; color: var(--soft); }
h2.technical, h2.payload, h2.recipient { border-left: .5rem solid; padding-left: .6rem; }
h2.technical { border-color: var(--technical); } h2.payload { border-color: var(--payload); } h2.recipient { border-color: var(--recipient); }
figure > svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font-size: 13px; } .axis { stroke: var(--line); }
.accepted { fill: var(--accepted); } .technical { fill: var(--technical); } .payload { fill: var(--payload); } .recipient { fill: var(--recipient); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .25rem 0 .75rem; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; vertical-align: -1px; margin-right: .35rem; }
figure { margin: 0; } section, figure, tr { break-inside: avoid; }
@media print { body { padding: 0; max-width: none; font-size: 11pt; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def to_html(report: Report, view: View, title: str | None = None) -> str:
    """The whole page."""
    spoken = view.words
    name = title or spoken.title
    parts = [f"<h1>{escape(name)}</h1>", f'<p class="headline">{escape(view.headline)}</p>']
    if view.alarms:
        parts.append(f'<div class="alarm"><p>{escape(spoken.suspicious)}</p>{_list(view.alarms)}</div>')
    if view.changes:
        parts.append(f'<section class="changes"><h2>{escape(spoken.changes)}</h2>{_list(view.changes)}</section>')
    parts += _charts_of_counts(report, spoken)
    parts += [_section(section, spoken) for section in view.sections]
    if len(view.rows) > 1:
        parts.append(_table(view))
    parts += _charts_of_time(report, spoken)
    parts += [f'<p class="soft">{escape(note)}</p>' for note in view.notes]
    parts.append(f'<p class="soft">{escape(spoken.made.format(version=__version__))}</p>')
    language = "zh-Hans" if spoken.language == "zh" else spoken.language
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{escape(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _legend(spoken: Words) -> str:
    swatch = '<svg width="12" height="12" aria-hidden="true"><rect class="{kind}" width="12" height="12" rx="2"/></svg>'
    items = "".join(
        f"<li>{swatch.format(kind=kind)}{escape(name)}</li>" for kind, name in zip(charts.KINDS, spoken.columns[1:5], strict=True)
    )
    return f'<ul class="legend">{items}</ul>'


def _figure(heading: str, chart: str, note: str = "") -> str:
    below = f'<figcaption class="soft">{escape(note)}</figcaption>' if note else ""
    return f"<section><h2>{escape(heading)}</h2><figure>{chart}{below}</figure></section>"


def _charts_of_counts(report: Report, spoken: Words) -> list[str]:
    if not report.total:
        return []
    names = spoken.columns[1:5]
    counts = (report.accepted, report.technical, report.payload, report.recipient)
    rows = [(row_name(row.label, row.provider, spoken), (row.accepted, row.technical, row.payload, row.recipient)) for row in report.rows]
    everything = [(name, count, kind) for name, count, kind in zip(names, counts, charts.KINDS, strict=True) if count]
    parts = [_figure(spoken.by_category, charts.bars(spoken.by_category, everything))]
    parts.append(_figure(spoken.by_provider, _legend(spoken) + charts.stacked(spoken.by_provider, rows[:_CAUSES], names)))
    causes = [(f"{group.provider} {group.reason}".strip(), group.count, group.category.value) for group in report.groups[:_CAUSES]]
    if causes:
        parts.append(_figure(spoken.by_cause, charts.bars(spoken.by_cause, causes)))
    return parts


def _charts_of_time(report: Report, spoken: Words) -> list[str]:
    parts: list[str] = []
    points = report.timeline.rows()
    if points:
        note = spoken.over_time_note.format(width=seconds_text(report.timeline.width))
        chart = charts.columns(spoken.over_time, points, report.timeline.width, spoken.columns[1:5])
        parts.append(_figure(spoken.over_time, _legend(spoken) + chart, note))
    counts = list(report.latency.counts)
    used = [index for index, count in enumerate(counts) if count]
    if used:
        labels = [f"≤{seconds_text(bound)}" for bound in LATENCY_BOUNDS] + [f">{seconds_text(LATENCY_BOUNDS[-1])}"]
        shown = [(labels[index], counts[index]) for index in range(used[0], used[-1] + 1)]
        parts.append(_figure(spoken.how_long, charts.histogram(spoken.how_long, shown, spoken.columns[1]), spoken.how_long_note))
    return parts


def _section(section: Section, spoken: Words) -> str:
    head = f'<tr><th class="number">{escape(spoken.how_many)}</th><th>{escape(spoken.what)}</th><th>{escape(spoken.what_to_do)}</th><th>{escape(spoken.examples)}</th></tr>'
    rows: list[str] = []
    for group in section.groups:
        label = f' <span class="tag">{escape(group.label)}</span>' if group.label else ""
        more = f'<br><span class="soft">{escape("; ".join(group.more))}</span>' if group.more else ""
        rows.append(
            f'<tr><td class="number">{group.count:,}</td><td class="what">{escape(group.what)}{label}<br><span class="tag">{escape(group.action)}</span></td>'
            f'<td class="do">{escape(group.advice)}{more}</td><td class="refs soft">{escape(spoken.comma.join(group.refs))}</td></tr>'
        )
    return f'<section><h2 class="{section.category.value}">{escape(section.heading)}</h2><table class="groups">{head}{"".join(rows)}</table></section>'


def _table(view: View) -> str:
    head = "".join(f'<th class="number">{escape(name)}</th>' if index else "<th></th>" for index, name in enumerate(view.columns))
    rows: list[str] = []
    for index, (name, *numbers) in enumerate(view.rows):
        mark = ' class="all"' if index == len(view.rows) - 1 else ""
        cells = "".join(f'<td class="number">{escape(number)}</td>' for number in numbers)
        rows.append(f"<tr{mark}><td>{escape(name)}</td>{cells}</tr>")
    return f"<section><h2>{escape(view.words.by_provider)}</h2><table><tr>{head}</tr>{''.join(rows)}</table></section>"
