"""The preview as one page: no script, nothing loaded, light and dark."""

from __future__ import annotations

import html as escaping
from collections.abc import Iterable

from pushkit.preview import svg
from pushkit.preview.fitting import harmless
from pushkit.preview.linting import LintWarning, together
from pushkit.preview.looks import Look

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c1e; --soft: #6e6e73; --line: #d9d9de }
@media (prefers-color-scheme: dark) { :root { --paper: #16161a; --ink: #f2f2f7; --soft: #a1a1aa; --line: #3a3a40 } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.looks { columns: 2 22rem; column-gap: 0 }
.looks svg { display: block; max-width: 100%; height: auto; break-inside: avoid; overflow: hidden }
.looks svg.pk > .page { fill: none }
table { border-collapse: collapse; width: 100%; overflow-wrap: anywhere }
th, td { min-width: 5.5em; border-bottom: 1px solid var(--line); padding: .45rem .6rem; text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 600 }
.refused { color: #c62828; font-weight: 600 } .cut, .hidden { color: #945600 }
@media (prefers-color-scheme: dark) { .refused { color: #ff7b72 } .cut, .hidden { color: #f0b35a } }
.soft { color: var(--soft) }
@media (max-width: 40rem) {
  table, tbody, tr { display: block } th { display: none } tr { border-bottom: 1px solid var(--line); padding: .4rem 0 }
  td { border: 0; display: inline; padding: 0 .8rem 0 0 } td:last-child { display: block }
}
@media print { body { margin: 0; max-width: none } }
""".strip()


def render(looks: Iterable[Look], warnings: Iterable[LintWarning]) -> str:
    """The whole page."""
    rows = "\n".join(_row(warning, where) for warning, where in together(warnings))
    # One picture for each platform: side by side where there is room, below each other on a phone.
    pictures = "".join(svg.render((look,)) for look in looks)
    table = (
        f"<table>\n<tr><th>What happens</th><th>Where</th><th>Field</th><th>What to know</th></tr>\n{rows}\n</table>"
        if rows
        else '<p class="soft">Nothing would be refused, cut, hidden or ignored.</p>'
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Preview of a push notification</title>
<style>
{_STYLE}
</style>
</head>
<body>
<h1>Preview of a push notification</h1>
<div class="looks">
{pictures}</div>
<h2>Before you send it</h2>
{table}
<p class="soft">Where text is cut depends on the device and the size of its letters: vendors document none of it. Pictures are not loaded here.</p>
</body>
</html>
"""


def _row(warning: LintWarning, where: str) -> str:
    about = ' <span class="soft">(approximate)</span>' if warning.approximate else ""
    mend = f'<br><span class="soft">{_text(warning.mend)}</span>' if warning.mend else ""
    kind = warning.effect.value.replace(" ", "-")
    return (
        f'<tr><td class="{kind}">{_text(warning.effect.value)}</td><td>{_breakable(where)}</td>'
        f"<td>{_breakable(warning.field or '')}</td><td><bdi>{_text(warning.message)}</bdi>{about}{mend}</td></tr>"
    )


def _breakable(path: str) -> str:
    """A path that breaks between its steps."""
    return _text(path).replace(".", ".<wbr>").replace("/", "/<wbr>")


def _text(text: str) -> str:
    return escaping.escape(harmless(text), quote=True)
