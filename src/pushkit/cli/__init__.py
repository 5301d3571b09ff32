"""The command line: ``python -m pushkit`` (extra ``cli``)."""
