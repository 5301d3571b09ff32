"""Text, Markdown and HTML, in both languages, with hostile words in them."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.values import Phone, make_accepted, make_failure

import pushkit
from pushkit import Action, Category, Report
from pushkit.apns.reasons_zh import ADVICE as APNS_ZH
from pushkit.cli.handbook import entries
from pushkit.events import MassInvalidation
from pushkit.faults import FAULTS
from pushkit.own_reasons import OWN
from pushkit.report.text import table
from pushkit.report.view import percent, width
from pushkit.report.words import EN, ZH, advice, words

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg></title>",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "| a | b |\n| --- | --- |",
    "`code` *bold* _it_ [click](https://evil.example) ![x](https://evil.example/x.png)",
    "=cmd|' /C calc'!A0",
    "@everyone <@U123> <!channel>",
    "{0.__class__} %s {total}",
    "\u202egnp.exe",
]


def hostile(text: str) -> Report:
    """A stranger's words wherever they can stand."""
    report = Report()
    report.add(make_accepted(label=text, provider=text))
    report.add(
        make_failure(Category.RECIPIENT, reason=text, label=text, provider=text, advice=f"Advice {text}", target=Phone(ref=text, app=text))
    )
    report.suspect(MassInvalidation(provider=text, app=text, environment=text, reason=text, share=0.5, seen=100))
    return report


class Page(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.shown: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data) -> None:
        self.shown.append(data)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_shows_hostile_text_as_text(text: str, language: str) -> None:
    """No element, no attribute and no request comes from a stranger."""
    report = hostile(text)
    page = Page(report.to_html(language=language, title=text, earlier=Report.collect([make_accepted()])))

    allowed = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "div",
        "section",
        "figure",
        "figcaption",
        "ul",
        "li",
        "table",
        "tr",
        "th",
        "td",
    }
    allowed |= {"svg", "rect", "text", "line", "span", "br"}
    assert set(page.tags) <= allowed
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "action", "srcset", "style"}]
    assert page.shown


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_asks_nobody_for_anything(text: str) -> None:
    """Self-contained, and a policy that would stop it otherwise."""
    page = hostile(text).to_html()

    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import|<link|<script", page)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_terminal_obeys_nobody(text: str, language: str) -> None:
    """No control or format character but the line ends of the report itself."""
    shown = hostile(text).to_text(language=language)

    assert all(line.isprintable() or not line for line in shown.split("\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_stays_one_table_and_no_link(text: str) -> None:
    """A cell is a cell, a mention is text, mark-up is text."""
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(hostile(text).to_markdown(title=text))

    assert "<a " not in rendered
    assert "<img" not in rendered
    assert "<script" not in rendered
    assert 2 == rendered.count("<table>")
    assert "<!channel>" not in rendered


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["to_text", "to_markdown", "to_html"])
def test_every_form_says_the_same(language: str, form: str) -> None:
    """Counts, reason, who has to act, what to do, an example: in each form and language."""
    report = Report.collect(
        [
            make_accepted(),
            make_failure(Category.RECIPIENT, advice="Remove this device unless it registered again since: its address has expired."),
        ]
    )
    shown = getattr(report, form)(language=language).replace("\\", "").replace("&#x27;", "'")
    spoken = words(language)

    for part in (
        report and spoken.headline.format(total=2, accepted=1, share="50.0 %", failed=1),
        "apns Unregistered",
        "user-7",
        spoken.action[Action.REMOVE_RECIPIENT],
        advice("apns", Action.REMOVE_RECIPIENT, report.groups[0].advice, language),
        spoken.footnote,
    ):
        assert part in shown
    assert spoken.who[Category.RECIPIENT].lower() in shown.lower()


def test_another_language_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="language='fr': expected one of en, zh"):
        Report().to_text(language="fr")  # type: ignore[arg-type]  # that is the point


def test_both_languages_have_every_word() -> None:
    """The same placeholders in both, so that no report fails in one of them."""
    import attrs

    for field in attrs.fields(type(EN)):
        one, two = getattr(EN, field.name), getattr(ZH, field.name)
        if isinstance(one, str) and field.name != "translated":
            assert set(re.findall(r"{(\w+)", one)) == set(re.findall(r"{(\w+)", two)), field.name
    assert set(Action) == set(EN.action) == set(ZH.action) == set(ZH.do)


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_every_sentence_of_the_tables_has_its_chinese_one(provider: str) -> None:
    """A row without a translation is found here; a team that reads Chinese gets no mixture."""
    sentences = [row.advice for row in entries(provider)] + [row.advice for row in FAULTS.values()]
    sentences += [row.advice for row in OWN.values()]

    missing = [
        sentence for sentence in sentences if not re.search(r"[\u4e00-\u9fff]", advice(provider, Action.RETRY_LATER, sentence, "zh"))
    ]
    untranslated = [sentence for sentence in sentences if sentence in advice(provider, Action.RETRY_LATER, sentence, "zh")]

    assert [] == missing
    assert [] == untranslated


def test_a_sentence_without_translation_is_shown_behind_its_action() -> None:
    """A fourth provider's advice stays as it is, and the reader knows what to do all the same."""
    assert "修改设置。（Turn it off and on.）" == advice("hms", Action.FIX_CONFIGURATION, "Turn it off and on.", "zh")
    assert "Turn it off and on." == advice("hms", Action.FIX_CONFIGURATION, "Turn it off and on.", "en")
    assert APNS_ZH


def test_a_sentence_about_this_very_push_is_shown_behind_what_its_word_says() -> None:
    """What only the English sentence says (which field, how many bytes) stays, behind the Chinese advice on that word."""
    shown = advice("apns", Action.FIX_PAYLOAD, "Correct badge: it is no number of 0 or more.", "zh", reason="invalid_field")

    assert "请修改详情中指出的字段：它的内容不是该字段应有的。（Correct badge: it is no number of 0 or more.）" == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "–"), (0, 5, "0.0 %"), (1, 1_000_000, "<0.1 %"), (999_999, 1_000_000, ">99.9 %"), (5, 5, "100.0 %"), (1, 3, "33.3 %")],
)
def test_a_share_never_rounds_to_nothing_or_all(part: int, whole: int, shown: str) -> None:
    """One lost push in a million is not none."""
    assert shown == percent(part, whole)


def test_chinese_columns_line_up() -> None:
    """A Chinese character is two columns wide."""
    lines = table([("推送", "1"), ("a", "22")])

    assert 1 == len({width(line) for line in lines})


def test_what_is_said_in_place_of_the_table_has_its_chinese_sentence_too() -> None:
    """Every fixed sentence that the code refuses with."""
    sentences = set()
    for path in Path(pushkit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refuse":
                said = [keyword.value for keyword in node.keywords if keyword.arg == "advice"]
                sentences |= {part.value for part in said if isinstance(part, ast.Constant)}

    assert len(sentences) > 5
    assert [] == [sentence for sentence in sorted(sentences) if sentence in advice("apns", Action.RETRY_LATER, sentence, "zh")]


def test_a_latched_credential_is_explained_in_chinese() -> None:
    """Its cause's sentence and delivery's own, both translated."""
    cause = "Replace the Apple push certificate: Apple rejects the one in use."

    shown = advice("apns", Action.FIX_CREDENTIALS, f"{cause} Nothing more is sent with this credential until it works again.", "zh")

    assert "更换苹果推送证书：苹果拒绝当前使用的证书。在此凭据恢复之前，不再用它发送。" == shown
