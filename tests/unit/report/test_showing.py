"""Text, Markdown and HTML, in both languages, with hostile words in them."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from tests import stories
from tests.values import Phone, make_accepted, make_failure

import pushkit
from pushkit import Action, Category, Report
from pushkit.apns.reasons_zh import ADVICE as APNS_ZH
from pushkit.cli.handbook import entries
from pushkit.events import MassInvalidation
from pushkit.faults import FAULTS
from pushkit.own_reasons import OWN
from pushkit.report.spelling import duration_text, percent, width, wrapped
from pushkit.report.text import table
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
    said = {"advice": f"Advice {text}", "detail": text, "field": text, "action": Action.FIX_PAYLOAD}
    report.add(make_failure(Category.PAYLOAD, reason=text, label=text, provider=text, target=Phone(ref=text, app=text), **said))
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
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "div", "section", "figure", "figcaption"),
        *("ul", "li", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "span"),
    }
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


@pytest.mark.parametrize("text", [*HOSTILE, "see https://evil.example, www.evil.example or mail@evil.example"])
def test_markdown_has_no_address_outside_a_code_span(text: str) -> None:
    """Chats and tickets make links and mentions of bare addresses and names; in a code span they do not."""
    shown = hostile(text).to_markdown(earlier=Report.collect([make_accepted(provider=text)]))
    prose = re.sub(r"`[^`]*`", "", shown)

    assert not re.search(r"://|www\.|@", prose)


@pytest.mark.parametrize("form", ["to_markdown", "to_html", "to_text"])
def test_a_table_that_is_pasted_into_a_spreadsheet_runs_no_formula(form: str) -> None:
    """Neither a line nor a cell begins with what a spreadsheet takes for one."""
    shown = getattr(hostile("=cmd|' /C calc'!A0"), form)()
    starts = re.split(r"<(?:td|th|li|p|h3)[^>]*>|\n[-| >]*|(?<!\\)\|", shown)

    assert not [part for part in starts if part.strip().lstrip("`* ")[:1] == "="]


def test_a_stored_reference_obeys_nobody_either() -> None:
    """JSON may come from a stranger: what was clean when it was written is cleaned again."""
    data = Report.collect([make_failure(Category.RECIPIENT)]).as_dict()
    data["groups"][0] |= {"refs": ["\x1b[31mred"], "advice": "\u202e", "detail": "\x07"}
    report = Report.from_dict(data)

    assert "\x1b" not in str(report) + report.to_html() + report.to_markdown()
    assert ("[31mred",) == report.groups[0].refs


def test_the_first_lines_name_the_cause_and_who_has_to_act() -> None:
    """Before any table: somebody reads this at night."""
    gone, long = make_failure(Category.RECIPIENT), make_failure(Category.PAYLOAD)
    lines = str(Report.collect([make_accepted(), gone, gone, long])).splitlines()

    assert "4 pushes: 1 accepted (25.0 %), 3 failed" == lines[0]
    assert "Main cause: apns Unregistered, 2 of 3 failures (66.7 %). To act: whoever keeps the recipient list." == lines[1]
    assert "  Forget this device." == lines[2]


def test_what_is_suspected_is_for_engineering() -> None:
    """The guard blames our own configuration, so the list's keeper can do nothing yet."""
    report = Report.collect([make_failure(Category.RECIPIENT, reason="BadDeviceToken")])
    report.suspect(MassInvalidation(provider="apns", app="default", environment="production", reason="BadDeviceToken", share=0.5, seen=100))

    assert "1 of 1 failures (100.0 %). To act: engineering or operations." in str(report)


def test_one_push_is_no_pushes() -> None:
    """A single send has a report too."""
    assert str(Report.collect([make_accepted()])).startswith("1 push: ")


def test_a_cause_is_one_entry_for_all_campaigns() -> None:
    """The same sentence a hundred times, once a campaign, is a page that nobody reads."""
    report = Report.collect([make_failure(Category.RECIPIENT, label=f"sale-{number}") for number in range(8) for _ in range(number + 1)])

    assert "36 × apns Unregistered [sale-7 8, sale-6 7, sale-5 6, sale-4 5, sale-3 4, 3 others]" in str(report)


def test_each_campaign_has_an_example() -> None:
    """Five of the largest alone would leave the others to guess."""
    outcomes = [
        make_failure(Category.RECIPIENT, label=label, target=Phone(ref=f"{label}-{number}")) for label in ("a", "b") for number in range(9)
    ]

    assert "for example a-0, b-0, a-1, b-1, a-2" in str(Report.collect(outcomes))


def test_the_field_and_the_details_are_shown() -> None:
    """The advice says "the field that the details name"."""
    shown = str(Report.collect([make_failure(Category.PAYLOAD, field="data.price", detail="Invalid value (TYPE_STRING)")]))

    assert "field: data.price" in shown
    assert "details: Invalid value (TYPE_STRING)" in shown


def test_a_recipient_that_is_gone_needs_no_details() -> None:
    """ "Requested entity was not found" says less than the advice."""
    assert "details" not in str(Report.collect([make_failure(Category.RECIPIENT, detail="Requested entity was not found.")]))


@pytest.mark.parametrize("form", ["to_text", "to_markdown", "to_html"])
def test_a_campaign_a_user_is_no_page_of_its_own(form: str) -> None:
    """The rest is counted, and everything adds up: JSON has it all, a ticket takes 64 KB."""
    report = Report()
    for number in range(150):
        report.add(make_failure(Category.RECIPIENT, label=f"campaign-{number}", reason=f"reason-{number}"))
    shown = getattr(report, form)(earlier=Report.collect([make_accepted()] * 2))

    assert len(shown) < 60_000
    assert "(120 others)" in shown
    assert "and 130 more, of 130 other causes" in shown
    assert "and 140 more" in shown


def test_a_provider_has_its_sum_over_campaigns() -> None:
    """In the table, where campaigns share a provider; and as a chart of its own."""
    report = Report.collect([make_accepted(label=label, provider=provider) for label in ("a", "b") for provider in ("apns", "fcm", "fcm")])

    assert ["a / apns 1", "a / fcm 2", "b / apns 1", "b / fcm 2", "all / apns 2", "all / fcm 4", "all 6"] == [
        re.sub(r" {2,}(\d+).*", r" \1", line.strip()) for line in str(report).splitlines()[3:10]
    ]
    assert {"By provider", "By campaign and provider"} <= set(re.findall(r"<h2>([^<]+)</h2>", report.to_html()))


def test_a_sum_that_is_a_row_again_is_left_out() -> None:
    """One campaign to three services, or three campaigns to one."""
    for one in ([{"provider": "apns"}, {"provider": "fcm"}], [{"label": "a"}, {"label": "b"}]):
        assert "all / " not in str(Report.collect([make_accepted(**changes) for changes in one]))


def test_a_long_label_leaves_the_provider_to_be_read() -> None:
    """Two rows of one campaign are not the same row."""
    shown = str(Report.collect([make_accepted(label="x" * 200), make_accepted(label="x" * 200, provider="fcm")]))

    assert "… / apns " in shown
    assert "… / fcm " in shown


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
        spoken.headline.format(total=2, accepted=1, share=percent(1, 2, spoken.percent), failed=1, pushes=spoken.pushes[1]),
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
            assert sorted(re.findall(r"{(\w*)", one)) == sorted(re.findall(r"{(\w*)", two)), field.name
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


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("推送", 4),
        ("ｱ", 1),
        ("Ａ", 2),
        ("é", 1),
        ("e\u0301", 1),
        ("กิ", 1),
        ("한글", 4),
        ("\u1112\u1161\u11ab", 2),
        ("🚀", 2),
        ("a\ufe0f", 1),
    ],
)
def test_a_character_has_its_width(text: str, columns: int) -> None:
    """Chinese, Japanese, Korean and emoji take two columns, marks take none."""
    assert columns == width(text)


def test_chinese_columns_line_up() -> None:
    """A Chinese character is two columns wide."""
    lines = table([("推送", "1"), ("a", "22"), ("กิ", "3")])

    assert 1 == len({width(line) for line in lines})


@pytest.mark.parametrize("columns", [40, 80, 132])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_lines_fit_into_the_terminal_and_lose_nothing(language: str, columns: int) -> None:
    """Broken at spaces, or between Chinese characters; never before a full stop, and the table stays a table."""
    report = stories.campaign(wrong_environment=True)
    whole, fitted = (report.to_text(language=language, earlier=Report(), columns=given) for given in (None, columns))
    beside = [line for line in fitted.splitlines() if "  " not in line.strip()]

    assert re.sub(r"\s", "", whole) == re.sub(r"\s", "", fitted)
    assert columns >= max(width(line) for line in beside)
    assert not [line for line in fitted.splitlines() if line.strip().startswith(("。", "，", "；", "）"))]
    assert set(whole.splitlines()) >= {line for line in fitted.splitlines() if " / apns  " in line}


def test_what_is_longer_than_a_line_is_not_torn() -> None:
    """An address that is cut in two is none; the terminal may break it."""
    assert ["  see", f"  {'x' * 50}", "  there"] == wrapped(f"see {'x' * 50} there", 30, "  ")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.00049, "0.49 ms"),
        (0.0125, "12.5 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (2.5, "2.5 s"),
        (64, "64 s"),
        (99.96, "1 min 40 s"),
        (300, "5 min"),
        (16_384, "4 h 33 min"),
        (2**20, "12 d 3 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, shown: str) -> None:
    """No "1e+03 ms" and no "1.638e+04 s"."""
    assert shown == duration_text(seconds, EN.units)


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


def test_a_sentence_with_numbers_is_translated_with_them() -> None:
    """Sizes and hours come from the message and the answer; the sentence around them is the same."""
    long = "Shorten the message: its 6041 bytes are more than the 4096 that Apple takes for this kind of push."
    clock = "Set this machine's clock right: it is 2.5 hours behind the push service's, which refuses the sign-in."

    assert "缩短消息：它有 6041 字节，超过了苹果对这类推送接受的 4096 字节。" == advice("apns", Action.FIX_PAYLOAD, long, "zh")
    assert "校准这台机器的时钟：它比推送服务的慢 2.5 小时，所以推送服务拒绝了身份验证。" == advice(
        "webpush", Action.FIX_CONFIGURATION, clock, "zh"
    )


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_no_sentence_with_numbers_is_left_over(provider: str) -> None:
    """Each is still said by the provider's code: whoever changes it changes the translation too, or hears of it here."""
    said: list[str] = []
    for path in (Path(pushkit.__file__).parent / provider).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in node.values]
                # A pattern without words of its own would fit everything.
                said += ["".join(parts)] if sum(map(len, parts)) > 40 else []
    numbered = import_module(f"pushkit.{provider}.reasons_zh").NUMBERED

    assert [] == [sentence for sentence in numbered if not any(re.search(pattern, sentence) for pattern in said)]


def test_a_latched_credential_is_explained_in_chinese() -> None:
    """Its cause's sentence and delivery's own, both translated."""
    cause = "Replace the Apple push certificate: Apple rejects the one in use."

    shown = advice("apns", Action.FIX_CREDENTIALS, f"{cause} Nothing more is sent with this credential until it works again.", "zh")

    assert "更换苹果推送证书：苹果拒绝当前使用的证书。在此凭据恢复之前，不再用它发送。" == shown
