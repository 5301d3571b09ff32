"""
The same failures as exceptions, for people who prefer them, and what a programmer can do wrong.

::

    PushError                  outcome.unwrap() of a failure
    ├── TechnicalError
    ├── PayloadError
    └── RecipientError
    ConfigurationError         wrong configuration or credentials, raised when they are made
    ClientClosedError          a call on a closed client
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pushkit.outcomes import Category, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping


class PushError(Exception):
    """A push that failed. ``outcome`` is the failure itself; it is None after unpickling, since it holds secrets."""

    def __init__(self, text: str, outcome: Failure | None = None) -> None:
        super().__init__(text)
        self._outcome = outcome

    @property
    def outcome(self) -> Failure | None:
        """The failure."""
        return self._outcome

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled by accident (a worker's result back end); the target stays out of it.
        return type(self), (str(self),)


class TechnicalError(PushError):
    """A :class:`~pushkit.TechnicalFailure`."""


class PayloadError(PushError):
    """A :class:`~pushkit.PayloadFailure`."""


class RecipientError(PushError):
    """A :class:`~pushkit.RecipientFailure`."""


class ConfigurationError(ValueError):
    """Configuration or credentials are wrong. The message says what was seen, what was expected and how to mend it."""


class ClientClosedError(RuntimeError):
    """The client was closed (or belongs to another event loop) and cannot send any more."""


_CLASSES: Mapping[Category, type[PushError]] = {
    Category.TECHNICAL: TechnicalError,
    Category.PAYLOAD: PayloadError,
    Category.RECIPIENT: RecipientError,
}


def error_class(category: Category) -> type[PushError]:
    """Which exception stands for a category."""
    return _CLASSES[category]


def error_for(failure: Failure) -> PushError:
    """The exception of a failure."""
    return _CLASSES[failure.category](str(failure), failure)
