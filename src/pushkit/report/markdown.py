"""A report as Markdown, for a ticket or a chat. What strangers wrote stays text."""

from __future__ import annotations

from pushkit.report.view import View

_SPECIAL = frozenset("\\`*_{}[]<>()#+-!|~@&$^=:")


def escaped(text: str) -> str:
    """Text that means nothing in Markdown: every character that could is escaped."""
    return "".join(
        f"&#{ord(character)};" if character in "<>&@" else f"\\{character}" if character in _SPECIAL else character for character in text
    )


def code(text: str) -> str:
    """Text in a code span, where no mark-up, link or mention is read, fit for a table's cell."""
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`" if text else ""


_IN_PROSE = str.maketrans({character: f"&#{ord(character)};" for character in "<>&@`*_[]|\\"})


def prose(text: str) -> str:
    """A sentence of ours, in which a stranger's word may stand."""
    return text.translate(_IN_PROSE)


def to_markdown(view: View, title: str | None = None) -> str:
    """The whole report."""
    spoken = view.words
    lines = [f"## {escaped(title) if title else spoken.title}", "", f"**{view.headline}**"]
    if view.alarms:
        lines += ["", f"> **{spoken.suspicious}**", ">", *(f"> - {prose(alarm)}" for alarm in view.alarms)]
    if view.changes:
        lines += ["", f"{spoken.changes}:", "", *(f"- {prose(change)}" for change in view.changes)]
    if view.rows:
        lines += ["", f"| {' | '.join(view.columns)} |", f"| --- |{' ---: |' * (len(view.columns) - 1)}"]
        lines += [f"| {code(name)} | {' | '.join(numbers)} |" for name, *numbers in view.rows]
    for section in view.sections:
        lines += [
            "",
            f"### {section.heading}",
            "",
            f"| {spoken.how_many} | {spoken.what} | {spoken.what_to_do} | {spoken.examples} |",
            "| ---: | --- | --- | --- |",
        ]
        for group in section.groups:
            what = " ".join(part for part in (code(group.what), code(group.label), f"({group.action})") if part)
            do = prose(group.advice + (f" ({'; '.join(group.more)})" if group.more else ""))
            lines.append(f"| {group.count:,} | {what} | {do} | {spoken.comma.join(code(ref) for ref in group.refs)} |")
    if view.notes:
        lines += ["", *(prose(note) for note in view.notes)]
    return "\n".join(lines) + "\n"
