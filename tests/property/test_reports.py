"""A stored report comes from anywhere: it is read whole and can be shown, or it is refused with a ValueError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests import stories
from tests.values import Phone, make_accepted, make_failure

from pushkit import Category, Disposition, Report
from pushkit.events import MassInvalidation

TEXT = st.text(st.characters(codec=None), max_size=300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(min_value=2**62, max_value=2**70) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
CATEGORIES = st.sampled_from(Category)


def _stored() -> dict[str, Any]:
    report = Report.collect([make_accepted(), *(make_failure(category, detail="x") for category in Category)])
    report.suspect(MassInvalidation(provider="apns", app="a", environment="production", reason="Unregistered", share=0.5, seen=9))
    return json.loads(report.to_json())


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(place for key, item in inner for place in _places(item, (*path, key)))]
        if path
        else [p for k, i in inner for p in _places(i, (k,))]
    )


PLACES = _places(_stored())
OTHER = stories.worker(1)


def shown(report: Report) -> str:
    """In every form and language, compared and merged: nothing of it raises, and all of it can be written to a file."""
    whole = Report.merge([report, OTHER, report])
    forms = [whole.to_json(), str(whole)]
    for language in ("en", "zh"):
        for form in (report.to_text, report.to_markdown, report.to_html):
            forms.append(form(language=language, earlier=whole))  # type: ignore[arg-type]  # both are languages
    text = "".join(forms)
    text.encode()
    return text


@example(("groups", 0, "count"), 165)  # more failures than pushes
@given(st.sampled_from(PLACES), VALUES)
def test_a_report_with_one_spoiled_value_is_refused_or_can_be_shown(place: tuple[Any, ...], value: Any) -> None:
    """Any value of any shape, at any place."""
    data = _stored()
    at: Any = data
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    try:
        report = Report.from_json(json.dumps(data))
    except ValueError:
        return

    assert shown(report)


@given(st.integers(min_value=0, max_value=len(json.dumps(_stored())) - 1))
def test_a_report_that_was_cut_short_is_refused(length: int) -> None:
    """No prefix of a report is one."""
    try:
        Report.from_json(json.dumps(_stored())[:length])
    except ValueError:
        return
    raise AssertionError("a part was taken for the whole")


@given(TEXT, TEXT, TEXT, TEXT, TEXT, CATEGORIES, st.sampled_from(Disposition))
def test_whatever_strangers_write_no_terminal_obeys_it(
    label: str, provider: str, reason: str, ref: str, detail: str, category: Category, disposition: Disposition
) -> None:
    """Every line of the text form is printable, and comes back from JSON as it was."""
    target = Phone(ref=ref, app=label)
    failure = make_failure(
        category,
        label=label,
        provider=provider,
        reason=reason,
        target=target,
        detail=detail,
        field=ref,
        advice=detail,
        disposition=disposition,
    )
    report = Report.collect([make_accepted(label=label, provider=provider), failure])

    assert all(line.isprintable() for line in str(report).split("\n"))
    assert report.as_dict() == Report.from_json(report.to_json().encode()).as_dict()
    assert shown(report)
