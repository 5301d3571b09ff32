"""From a message and targets to outcomes: retry, budget, breaker, limiter, guard, lanes, and the engine that runs them."""
