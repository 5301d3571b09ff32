from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pushkit import ConfigurationError
from pushkit.cli.rows import count_of, rows_of

TOKEN = "ab" * 32


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    "content",
    [
        f"token,ref\n{TOKEN},7\n",
        f"\ufefftoken,ref\r\n{TOKEN},7\r\n",
        f"token;ref\n{TOKEN};7\n",
        f"token\tref\n{TOKEN}\t7\n",
        f'"token","ref"\n"{TOKEN}","7"\n\n',
        f"token,ref\n{TOKEN},7",
    ],
)
def test_csv_is_read_as_spreadsheets_write_it(content: str, tmp_path: Path) -> None:
    """Byte order mark, semicolons, tabs, quotation marks, empty lines, no end of the last line."""
    assert [{"token": TOKEN, "ref": "7"}] == list(rows_of(written(tmp_path, content)))


@pytest.mark.parametrize(
    ("content", "name", "complaint"),
    [
        ("", "people.csv", "is empty"),
        ("token,ref\n".encode("utf-16"), "people.csv", "is no UTF-8 text"),
        ("tokne,ref\n1,2\n", "people.csv", "the first line names no column with an address"),
        ("x" * 200_000, "people.csv", "the first line names no column with an address"),
        ("token,Token ,ref\n1,2,3\n", "people.csv", "the column token is there twice"),
        (f'token,ref\n{TOKEN},7\n{TOKEN},"8\n{TOKEN},9\n', "people.csv", "the row that begins in line 3 cannot be read"),
        ("token\n" + "a" * 200_000, "people.csv", "the row that begins in line 2 cannot be read"),
        ('[\n {"token": "ab"}\n]', "people.json", "is one JSON array; expected an object on each line"),
    ],
)
def test_a_list_whose_rows_cannot_be_told_is_refused(content, name: str, complaint: str, tmp_path: Path) -> None:
    """Going on would swallow recipients."""
    with pytest.raises(ConfigurationError) as caught:
        list(rows_of(written(tmp_path, content, name)))

    assert complaint in str(caught.value)


@pytest.mark.parametrize("content", ["token\na\nb\n", "token\na\nb"])
def test_the_progress_bar_knows_how_many(content: str, tmp_path: Path) -> None:
    """Also when the last line has no end."""
    assert 2 == count_of(written(tmp_path, content))


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    with sqlite3.connect(tmp_path / "people.db") as connection:
        connection.execute("CREATE TABLE people (id INTEGER, token TEXT)")
        connection.execute("INSERT INTO people VALUES (1, 'ab')")
    connection.close()
    monkeypatch.setenv("PEOPLE", f"sqlite:///{tmp_path / 'people.db'}")
    return "env:PEOPLE"


def test_a_databases_url_can_come_from_the_environment(people: str) -> None:
    """So that its password is in no process list."""
    assert [{"token": "ab", "ref": 1}] == list(rows_of(people, "SELECT token, id AS ref FROM people ORDER BY id"))
    assert 1 == count_of(people, "SELECT token FROM people ORDER BY id;")


@pytest.mark.parametrize(
    ("source", "query", "complaint"),
    [
        ("postgresql://me:hunter2@localhost/shop", "q", "a password on the command line shows in the process list"),
        ("postgresql://me:hunter2@localhost:port/shop", "q", "this database URL cannot be used"),
        ("env:NOWHERE", "q", "the environment variable NOWHERE is not set"),
        ("env:PEOPLE", "SELECT id FROM people", "--query: names no column with an address"),
        ("env:PEOPLE", "DELETE FROM people", "--query: gives no rows; expected a SELECT"),
        ("env:PEOPLE", "SELECT token FROM nowhere", "no such table: nowhere"),
    ],
)
def test_what_a_database_cannot_give_is_said(source: str, query: str, complaint: str, people: str) -> None:
    """Never with the password."""
    with pytest.raises(ConfigurationError) as caught:
        list(rows_of(source, query))

    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)
