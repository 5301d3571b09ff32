"""One module for each outside system, imported only by who asks."""
