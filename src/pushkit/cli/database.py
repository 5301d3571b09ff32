"""Recipients from a database, through SQLAlchemy. A URL may hold a password: it is never quoted, and none is taken from a flag."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any, Final

from pushkit.errors import ConfigurationError


def rows_of(url: str, query: str | None) -> Iterator[Any]:
    """
    The rows of a query, one by one.

    Raises:
        ConfigurationError: when the database or the query cannot be used.
    """
    if not query:
        raise ConfigurationError('a database needs --query, such as "SELECT token, id AS ref FROM devices ORDER BY id"')
    sqlalchemy = _sqlalchemy()
    engine = _engine(sqlalchemy, url)
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=1000) as connection:
            found = connection.execute(sqlalchemy.text(query))
            if not TELLING & {name.lower() for name in found.keys()}:  # noqa: SIM118 - a result is no mapping
                raise ConfigurationError(f"--query: names no column with an address; expected some of {', '.join(sorted(TELLING))}")
            for row in found.mappings():
                yield dict(row)
    except sqlalchemy.exc.ResourceClosedError:
        raise ConfigurationError("--query: gives no rows; expected a SELECT") from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise ConfigurationError(f"--query: the database refused it ({type(error).__name__}: {clean_error(error)})") from None
    finally:
        engine.dispose()


def _engine(sqlalchemy: Any, url: str) -> Any:
    """
    An engine for a database's URL, or for the URL in the environment variable that ``env:NAME`` names.

    Raises:
        ConfigurationError: when it cannot be used, or holds a password where a process list shows it.
    """
    text = database_url(url)
    try:
        parsed = sqlalchemy.make_url(text)
        hidden = url.startswith(FROM_ENVIRONMENT)
        if parsed.password is None or hidden:
            return sqlalchemy.create_engine(parsed)
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError, ImportError, ValueError):
        # The URL may hold a password, and these errors quote it.
        raise ConfigurationError(
            "--to: this database URL cannot be used; expected one of SQLAlchemy's, with its driver installed"
        ) from None
    raise ConfigurationError(
        "--to: a password on the command line shows in the process list; put the URL into an environment variable and pass "
        f"--to {FROM_ENVIRONMENT}NAME"
    )


TELLING: Final = frozenset({"token", "topic", "condition", "fid", "endpoint", "subscription"})
"""Columns that hold an address."""
FROM_ENVIRONMENT: Final = "env:"
"""Before the name of an environment variable that holds a database's URL."""


def is_database(source: str) -> bool:
    """Whether a source is a database, and no file."""
    return "://" in source or source.startswith(FROM_ENVIRONMENT)


def database_url(source: str) -> str:
    """
    The URL itself.

    Raises:
        ConfigurationError: when the environment variable is not set.
    """
    if not source.startswith(FROM_ENVIRONMENT):
        return source
    name = source.removeprefix(FROM_ENVIRONMENT)
    if not os.environ.get(name):
        raise ConfigurationError(f"--to {source}: the environment variable {name} is not set; expected the URL of a database in it")
    return os.environ[name]


def clean_error(error: Any) -> str:
    """What the driver said, without the statement and its parameters."""
    from pushkit.secret import clean

    return clean(str(getattr(error, "orig", None) or type(error).__name__), limit=200)


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError:
        raise ConfigurationError(
            "reading from a database needs SQLAlchemy: pip install sqlalchemy (and the driver of your database)"
        ) from None
    # At DEBUG it logs every row, and rows are addresses; at INFO the query.
    for name in ("sqlalchemy.engine", "sqlalchemy.engine.Engine"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return sqlalchemy


def count_of(source: str, query: str) -> int | None:
    """How many rows a query has; None when the database does not say."""
    sqlalchemy = _sqlalchemy()
    engine = _engine(sqlalchemy, source)
    try:
        with engine.connect() as connection:
            bare = query.strip().rstrip(";")
            return int(connection.execute(sqlalchemy.text(f"SELECT count(*) FROM ({bare}) AS counted")).scalar_one())  # noqa: S608 - the caller's own query
    except sqlalchemy.exc.SQLAlchemyError:
        return None  # some databases refuse ORDER BY in a subquery; the bar then has no end
    finally:
        engine.dispose()
