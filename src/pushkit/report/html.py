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
from pushkit.report.spelling import duration_text
from pushkit.report.tally import LATENCY_BOUNDS
from pushkit.report.view import CauseView, Counts, Section, View
from pushkit.secret import clean

if TYPE_CHECKING:
    from pushkit.report.core import Report
    from pushkit.report.words import Words

_CAUSES = 15
_STRETCHES = 120
"""Columns over time: more are too thin to be seen."""

_STYLE = """
:root { color-scheme: light; --page: #ffffff; --ink: #1c1f26; --soft: #5d6472; --line: #d9dde5; --alarm: #fff1d6; --alarm-line: #b87400;
  --accepted: #2f9e63; --technical: #d94841; --payload: #8a5cd1; --recipient: #2f74c0; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --page: #14171c; --ink: #e7eaf0; --soft: #9aa3b2; --line: #333a46;
  --alarm: #3a2d10; --alarm-line: #e0a030; --accepted: #45b97c; --technical: #ef6a63; --payload: #a883e6; --recipient: #5b9be0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .15rem 0; } .headline { font-size: 1.2rem; margin: 0 0 1rem; } .soft { color: var(--soft); font-size: .875rem; }
.alarm, .lead { border-left: 4px solid var(--line); padding: .6rem 1rem; margin: 1rem 0; }
.alarm { background: var(--alarm); border-color: var(--alarm-line); } .alarm p, .lead p:first-child { font-weight: 600; }
.alarm ul, .changes ul { margin: .4rem 0 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; } th { text-align: left; font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.counts { overflow-x: auto; } .counts th, .counts td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.counts tbody th { min-width: 8rem; } .counts thead th { color: var(--soft); font-size: .8125rem; } .sum > * { font-weight: 600; }
.bars { table-layout: fixed; } .bars th { width: 34%; padding: .2rem .75rem .2rem 0; line-height: 1.3; } .bars .number { width: 5.5rem; }
svg { display: block; width: 100%; } .bar { height: 1.25rem; } .columns { height: 9rem; border-bottom: 1px solid var(--soft); }
.axis { display: flex; justify-content: space-between; gap: .5rem; font-size: .8125rem; } .ticks span { flex: 1 1 0; }
rect.accepted { fill: var(--accepted); } rect.technical { fill: var(--technical); } rect.payload { fill: var(--payload); } rect.recipient { fill: var(--recipient); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .25rem 0 .75rem; list-style: none; font-size: .875rem; }
.legend svg { display: inline-block; width: 12px; height: 12px; vertical-align: -1px; margin-right: .35rem; }
h2.technical, h2.payload, h2.recipient { border-left: .5rem solid; padding-left: .6rem; }
h2.technical { border-color: var(--technical); } h2.payload { border-color: var(--payload); } h2.recipient { border-color: var(--recipient); }
.cause { padding: .6rem 0; border-top: 1px solid var(--line); }
.tag { display: inline-block; font-weight: 400; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-size: .75rem; color: var(--soft); }
figure { margin: 0; } figcaption { margin-top: .25rem; } figure, .cause, .alarm, .lead, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
@media screen and (max-width: 40rem) { body { padding: 1.25rem .9rem 2rem; } .bars th { width: 47%; font-size: .8125rem; } .bars .number { width: 4rem; }
  .counts table { font-size: .8125rem; } .counts tbody th { min-width: 5.5rem; } .counts th, .counts td { padding-right: .4rem; } }
@media print { body { padding: 0; max-width: none; font-size: 11pt; } .counts { overflow: visible; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def to_html(report: Report, view: View, title: str | None = None) -> str:
    """The whole page."""
    spoken = view.words
    name = clean(title) if title else spoken.title
    parts = [f"<h1>{escape(name)}</h1>", f'<p class="headline">{escape(view.headline)}</p>']
    if view.alarms:
        parts.append(f'<div class="alarm" role="alert"><p>{escape(spoken.suspicious)}</p>{_list(view.alarms)}</div>')
    if view.lead:
        parts.append(f'<div class="lead"><p>{escape(view.lead)}</p><p>{escape(view.lead_advice)}</p></div>')
    if view.changes:
        parts.append(f'<section class="changes"><h2>{escape(spoken.changes)}</h2>{_list(view.changes)}</section>')
    parts += _charts_of_counts(report, view)
    parts += [_section(section, spoken) for section in view.sections]
    parts += _by_provider(view)
    parts += _charts_of_time(report, spoken)
    parts += [f'<p class="soft">{escape(note)}</p>' for note in view.notes]
    parts.append(f'<p class="soft">{escape(spoken.made.format(version=__version__))}</p>')
    language = "zh-Hans" if spoken.language == "zh" else spoken.language
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{escape(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _legend(spoken: Words) -> str:
    swatch = '<svg viewBox="0 0 12 12" aria-hidden="true"><rect class="{kind}" width="12" height="12" rx="2"/></svg>'
    items = "".join(
        f"<li>{swatch.format(kind=kind)}{escape(name)}</li>" for kind, name in zip(charts.KINDS, spoken.columns[1:5], strict=True)
    )
    return f'<ul class="legend">{items}</ul>'


def _figure(heading: str, chart: str, note: str = "") -> str:
    below = f'<figcaption class="soft">{escape(note)}</figcaption>' if note else ""
    return f"<section><h2>{escape(heading)}</h2><figure>{chart}{below}</figure></section>"


def _charts_of_counts(report: Report, view: View) -> list[str]:
    if not report.total:
        return []
    spoken = view.words
    counts = (report.accepted, report.technical, report.payload, report.recipient)
    kinds = [(name, [(kind, count, name)]) for name, count, kind in zip(spoken.columns[1:5], counts, charts.KINDS, strict=True) if count]
    parts = [_figure(spoken.by_category, charts.bars(spoken.by_category, kinds))]
    causes = sorted((cause for section in view.sections for cause in section.causes), key=lambda cause: -cause.count)[:_CAUSES]
    if len(causes) > 1:
        names = {category.value: spoken.category[category] for category in spoken.category}
        rows = [(cause.what, [(cause.category.value, cause.count, names[cause.category.value])]) for cause in causes]
        parts.append(_figure(spoken.by_cause, charts.bars(spoken.by_cause, rows)))
    return parts


def _by_provider(view: View) -> list[str]:
    if len(view.rows) <= 1:
        return []
    spoken = view.words
    rows = [row for row in view.rows if not row.is_sum]
    shown = [(spoken.by_provider, view.providers), (spoken.by_campaign, rows)] if view.providers else [(spoken.by_provider, rows)]
    return [*(_bars_of(heading, lines, spoken) for heading, lines in shown), _table(view)]


def _bars_of(heading: str, lines: Sequence[Counts], spoken: Words) -> str:
    bars = [(line.name, list(zip(charts.KINDS, line.numbers[1:5], spoken.columns[1:5], strict=True))) for line in lines]
    return _figure(heading, _legend(spoken) + charts.bars(heading, bars))


def _charts_of_time(report: Report, spoken: Words) -> list[str]:
    parts: list[str] = []
    timeline = report.timeline.fitted(_STRETCHES)
    points = timeline.rows()
    if points:
        at, most = max(((at, sum(counts)) for at, counts in points), key=lambda point: point[1])
        note = f"{spoken.over_time_note.format(width=duration_text(timeline.width, spoken.units))}{spoken.space}{spoken.most.format(count=most, where=charts.clock(at))}"
        chart = charts.columns(points, timeline.width, spoken.columns[1:5])
        parts.append(_figure(spoken.over_time, _legend(spoken) + chart, note))
    counts = list(report.latency.counts)
    used = [index for index, count in enumerate(counts) if count]
    if used:
        bounds = [duration_text(bound, spoken.units) for bound in LATENCY_BOUNDS]
        labels = [f"≤ {bound}" for bound in bounds] + [f"> {bounds[-1]}"]
        shown = [(labels[index], counts[index]) for index in range(used[0], used[-1] + 1)]
        where, most = max(shown, key=lambda bucket: bucket[1])
        note = f"{spoken.how_long_note}{spoken.space}{spoken.most.format(count=most, where=where)}"
        parts.append(_figure(spoken.how_long, charts.histogram(shown, spoken.columns[1]), note))
    return parts


def _section(section: Section, spoken: Words) -> str:
    rest = f'<p class="soft">{escape(section.rest)}</p>' if section.rest else ""
    causes = "".join(_cause(cause, spoken) for cause in section.causes)
    return f'<section><h2 class="{section.category.value}">{escape(section.heading)}</h2>{causes}{rest}</section>'


def _cause(cause: CauseView, spoken: Words) -> str:
    tags = "".join(f' <span class="tag">{escape(text)}</span>' for text in (cause.action, *cause.labels))
    more = [*cause.more]
    if cause.fields:
        more.append(spoken.in_fields.format(fields=spoken.comma.join(cause.fields)))
    if cause.refs:
        more.append(spoken.for_example.format(refs=spoken.comma.join(cause.refs)))
    lines = [spoken.semicolon.join(more), spoken.details.format(detail=cause.detail) if cause.detail else ""]
    below = "".join(f'<p class="soft">{escape(line)}</p>' for line in lines if line)
    return f'<div class="cause"><h3>{cause.count:,} × {escape(cause.what)}{tags}</h3><p>{escape(cause.advice)}</p>{below}</div>'


def _table(view: View) -> str:
    head = "".join(f'<th scope="col" class="number">{escape(name)}</th>' for name in view.columns)
    body = "".join(_line(row) for row in view.rows)
    name = escape(view.words.by_campaign)
    # It may be wider than a phone: it scrolls by itself, by keyboard too, and the page does not.
    return (
        f'<div class="counts" role="region" tabindex="0" aria-label="{name}"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _line(row: Counts) -> str:
    mark = ' class="sum"' if row.is_sum else ""
    numbers = "".join(f'<td class="number">{number:,}</td>' for number in row.numbers)
    return f'<tr{mark}><th scope="row">{escape(row.name)}</th>{numbers}</tr>'
