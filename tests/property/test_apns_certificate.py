"""Extensions of certificates hold what strangers encoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.apns.certificates import topics_extension

from pushkit.apns.certificate import _topics

names = st.dictionaries(st.text(max_size=300).filter(lambda text: text.isprintable()), st.sampled_from(["app", "voip"]), max_size=20)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_list(raw):
    """Truncated, nested, with lengths that lie: never an error, never an endless loop."""
    assert all(isinstance(topic, str) for topic in _topics(raw))


@given(names)
def test_what_is_encoded_is_read(topics):
    """Short and long lengths alike."""
    assert list(topics) == _topics(topics_extension(topics))


@given(names, st.integers(0, 400))
def test_a_damaged_list_gives_no_topic_that_was_not_in_it(topics, cut):
    """What is cut off is not guessed."""
    assert set(_topics(topics_extension(topics)[:cut])) <= set(topics)
