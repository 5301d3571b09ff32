"""A report as Markdown, for a ticket or a chat. What strangers wrote stays text."""

from __future__ import annotations

from pushkit.report.spelling import cell
from pushkit.report.view import CauseView, View
from pushkit.report.words import Words
from pushkit.secret import clean

_SPECIAL = frozenset("\\`*_{}[]<>()#+-!|~@&$^=:.")
_BREAKS = "&#8203;"
"""A space of no width: behind it a name is no mention any more, not even for what looks at the finished page."""


def escaped(text: str) -> str:
    """Text that means nothing in Markdown: every character that could is escaped."""
    return "".join(
        f"&#{ord(character)};" + (_BREAKS if character == "@" else "")
        if character in "<>&@"
        else f"\\{character}"
        if character in _SPECIAL
        else character
        for character in clean(text)
    )


_IN_CODE = str.maketrans({"`": "'", "|": "\\|", "<": "‹", ">": "›"})
"""Chats obey ``<!channel>`` even in a code span, and an escaped ``<`` shows its escape there."""


def code(text: str) -> str:
    """Text in a code span, where no mark-up, link or mention is read, fit for a table's cell."""
    return f"`{text.translate(_IN_CODE)}`" if text else ""


_IN_PROSE = str.maketrans({character: f"&#{ord(character)};" for character in "<>&`*_[]|\\~#"} | {"@": f"&#64;{_BREAKS}"})


def prose(text: str) -> str:
    """A sentence from a table; a fourth provider may have written it, so it is no mark-up and no link either."""
    return text.translate(_IN_PROSE).replace("://", "&#58;//").replace("www.", "www&#46;")


def to_markdown(view: View, title: str | None = None) -> str:
    """The whole report. The view quotes with :func:`code`."""
    spoken = view.words
    lines = [f"## {escaped(title) if title else spoken.title}", "", f"**{view.headline}**"]
    if view.alarms:
        lines += ["", f"> **{spoken.suspicious}**", ">", *(f"> - {alarm}" for alarm in view.alarms)]
    if view.lead:
        lines += ["", view.lead, "", prose(view.lead_advice)]
    if view.changes:
        lines += ["", f"{spoken.changes}:", "", *(f"- {change}" for change in view.changes)]
    if view.rows:
        lines += ["", f"| | {' | '.join(view.columns)} |", f"| --- |{' ---: |' * len(view.columns)}"]
        for row in view.rows:
            name = f"**{prose(row.name)}**" if row.is_sum else code(row.name)
            lines.append(f"| {name} | {' | '.join(f'{number:,}' for number in row.numbers)} |")
    for section in view.sections:
        lines += [
            "",
            f"### {section.heading}",
            "",
            f"| {spoken.how_many} | {spoken.what} | {spoken.what_to_do} | {spoken.examples} |",
            "| ---: | --- | --- | --- |",
            *(_row(cause, spoken) for cause in section.causes),
        ]
        if section.rest:
            lines += ["", section.rest]
    if view.notes:
        # Each its own paragraph: one line end is a space.
        lines += [line for note in view.notes for line in ("", note)]
    return "\n".join(lines) + "\n"


def _row(cause: CauseView, spoken: Words) -> str:
    labels = spoken.comma.join(code(label) for label in cause.labels)
    what = " ".join(part for part in (code(cause.what), labels) if part) + spoken.parens.format(cause.action)
    more = [*cause.more]
    if cause.fields:
        more.append(spoken.in_fields.format(fields=spoken.comma.join(code(field) for field in cause.fields)))
    if cause.detail:
        more.append(spoken.details.format(detail=code(cause.detail)))
    do = prose(cause.advice) + (spoken.parens.format(spoken.semicolon.join(more)) if more else "")
    return f"| {cause.count:,} | {what} | {do} | {spoken.comma.join(code(cell(ref)) for ref in cause.refs)} |"
