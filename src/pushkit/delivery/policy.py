"""How often and how patiently a push is tried: one frozen value, for a client or for one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import attrs

from pushkit.errors import ConfigurationError
from pushkit.messages import Duration, seconds

if TYPE_CHECKING:
    from pushkit.outcomes import Outcome

OnUnknown: TypeAlias = Literal["replaceable", "always", "never"]
"""Whether to send again when the provider may have taken the push already."""

_LONGEST_STEP = 60.0


def exponential() -> Iterator[float]:
    """1, 2, 4 … 60 seconds: ``backoff.expo``. The default of ``RetryPolicy.backoff``."""
    import backoff

    return backoff.expo(max_value=_LONGEST_STEP)


def full_jitter(value: float) -> float:
    """A random time between 0 and ``value`` seconds: ``backoff.full_jitter``. The default of ``RetryPolicy.jitter``."""
    import backoff

    return float(backoff.full_jitter(value))


def _optional_seconds(value: Duration | None) -> float | None:
    return None if value is None else _seconds(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, timedelta)):
        raise ConfigurationError(f"RetryPolicy: a duration is a {type(value).__name__}; pass seconds or a timedelta")
    return seconds(value)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """
    How often and how patiently a push is tried. Everything counts for each push, from the moment that it is taken.

    The delay before another attempt is ``max(floor of the error table's row, jittered back-off, Retry-After)``.
    What would take longer than ``max_sleep``, ``deadline`` or the message's expiry allow is not slept:
    the failure comes back at once with ``retry_at``, for a queue of your own and ``push.resume``.

    Raises:
        ConfigurationError: for a value that makes no sense, with the mend.
    """

    attempts: int = 3
    """Attempts at the most, the first one included. 1 sends exactly once."""
    attempt_timeout: float | None = attrs.field(default=None, converter=_optional_seconds)
    """Seconds for one attempt. None: the provider's default (FCM 15, the others 10)."""
    deadline: float = attrs.field(default=30.0, converter=_seconds)
    """Seconds from taking a push to its outcome."""
    max_sleep: float = attrs.field(default=15.0, converter=_seconds)
    """Seconds slept between attempts, all together."""
    backoff: Callable[[], Iterator[float]] = exponential
    """
    Makes the waits, in the form of the ``backoff`` package: called without arguments for each push that
    has to wait. ``backoff.expo``, ``backoff.fibo`` or, with arguments,
    ``functools.partial(backoff.expo, factor=0.5, max_value=30)``.
    """
    jitter: Callable[[float], float] | None = full_jitter
    """Spreads a wait; ``backoff.full_jitter`` or ``backoff.random_jitter``. None: no jitter."""
    on_unknown: OnUnknown = "replaceable"
    """
    Whether a push that the provider may have taken is sent again (once at the most): ``"replaceable"``
    if a second copy would replace the first on the device, ``"always"``, ``"never"``.
    """
    dedupe: bool = True
    """Whether the push's key may fill an empty collapse id or tag, so that a second copy replaces the first."""

    def __attrs_post_init__(self) -> None:
        attempts: Any = self.attempts
        if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
            raise ConfigurationError(
                f"RetryPolicy(attempts={self.attempts!r}): expected a whole number of at least 1 (1 sends exactly once)"
            )
        for name in ("attempt_timeout", "deadline", "max_sleep"):
            value = getattr(self, name)
            least_open = name != "max_sleep"
            if value is not None and (math.isnan(value) or value < 0 or (least_open and value == 0)):
                raise ConfigurationError(f"RetryPolicy({name}={value!r}): expected {'more than' if least_open else 'at least'} 0 seconds")
        if self.attempt_timeout is not None and math.isinf(self.attempt_timeout):
            raise ConfigurationError("RetryPolicy(attempt_timeout=inf): an attempt has to end; leave it out for the provider's default")
        if self.on_unknown not in get_args(OnUnknown):
            raise ConfigurationError(f"RetryPolicy(on_unknown={self.on_unknown!r}): expected one of {', '.join(get_args(OnUnknown))}")
        if not callable(self.backoff):
            raise ConfigurationError(
                f"RetryPolicy(backoff=...): a {type(self.backoff).__name__}; pass a function such as backoff.expo, not its result"
            )
        if self.jitter is not None and not callable(self.jitter):
            raise ConfigurationError(
                f"RetryPolicy(jitter=...): a {type(self.jitter).__name__}; pass a function such as backoff.full_jitter, or None"
            )
        self._try_out()

    def _try_out(self) -> None:
        # What a push would meet in the night; only the caller's own functions, since ours import the backoff package.
        try:
            if self.backoff is not exponential:
                iter(self.backoff())
            if self.jitter is not None and self.jitter is not full_jitter:
                float(self.jitter(1.0))
        except Exception as error:
            raise ConfigurationError(
                f"RetryPolicy: trying out backoff or jitter raised {type(error).__name__}: {error}; backoff() gives an iterator of seconds, "
                "such as backoff.expo does, and jitter(seconds) gives seconds"
            ) from error

    @classmethod
    def none(cls) -> RetryPolicy:
        """Send exactly once."""
        return cls(attempts=1, max_sleep=0.0, on_unknown="never")

    @classmethod
    def interactive(cls) -> RetryPolicy:
        """The default: somebody waits for the answer."""
        return cls()

    @classmethod
    def worker(cls) -> RetryPolicy:
        """For background jobs: more attempts and minutes of deadline. It never sleeps a whole minute; longer waits come back."""
        return cls(attempts=6, deadline=300.0, max_sleep=50.0)

    def explain(self, outcome: Outcome) -> str:
        """Why this push was tried as often as it was, and what happens next, in a few plain lines."""
        from pushkit.delivery.explain import explain

        return explain(self, outcome)
