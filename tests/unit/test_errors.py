from __future__ import annotations

import copy
import pickle

import pytest
from tests.values import TOKEN, make_failure

from pushkit import Category, PayloadError, PushError, RecipientError, TechnicalError
from pushkit.errors import error_for


@pytest.mark.parametrize(
    ("category", "kind"),
    [(Category.TECHNICAL, TechnicalError), (Category.PAYLOAD, PayloadError), (Category.RECIPIENT, RecipientError)],
)
def test_each_category_has_its_exception(category: Category, kind: type[PushError]) -> None:
    """`except RecipientError` catches recipient failures and no others."""
    failure = make_failure(category)

    with pytest.raises(kind) as caught:
        failure.unwrap()

    assert failure is caught.value.outcome
    assert kind is type(caught.value)


@pytest.mark.parametrize("travel", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_a_copied_exception_leaves_the_target_behind(travel) -> None:
    """A worker's result back end stores exceptions; the device token must not be in them."""
    error = error_for(make_failure(Category.RECIPIENT))

    arrived = travel(error)

    assert type(error) is type(arrived)
    assert str(error) == str(arrived)
    assert arrived.outcome is None


def test_a_pickled_exception_holds_no_token() -> None:
    """Not even in its bytes."""
    assert TOKEN.encode() not in pickle.dumps(error_for(make_failure(Category.RECIPIENT)))


def test_the_text_says_what_and_for_whom_and_what_to_do() -> None:
    """One line that a colleague can act on, with the caller's own reference."""
    assert "apns Unregistered for user-7: Forget this device." == str(error_for(make_failure(Category.RECIPIENT)))
