"""`watch --once`, `digest list` and `digest source`, as people and scripts see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.support.service import edition

_LISTED = [
    "revision",
    "source",
    "identity",
    "name",
    "title",
    "date",
    "revisions",
    "imported_at",
    "changed_at",
    "state",
    "reasons",
    "last_send",
]


@pytest.fixture
def folder(tmp_path: Path, program: Program) -> Path:
    """A folder that is configured as the source `blog`."""
    path = tmp_path / "content"
    path.mkdir()
    configure(program, tmp_path, f'[[sources]]\nname = "blog"\nkind = "folder"\npath = "{path}"\n')
    return path


def configure(program: Program, folder: Path, toml: str) -> None:
    path = folder / "distributor.toml"
    path.write_text(toml)
    program.set(CONFIG=str(path))


def test_a_look_says_what_is_new_and_then_that_nothing_is(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text(edition())

    first, second = program("watch", "--once"), program("watch", "--once")

    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("● blog: new ")
    assert second.out == "– blog: nothing new\n"


def test_a_look_says_what_would_be_held_and_why(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text("")

    assert "would be held, empty: " in program("watch", "--once").out


def test_a_look_as_json_is_a_line_for_each_import(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text(edition())

    (said,) = program("watch", "--once", "--json").json_lines

    assert list(said) == [
        "source",
        "identity",
        "outcome",
        "revision",
        "title",
        "publishable",
        "reasons",
    ]
    assert (said["source"], said["identity"], said["outcome"]) == ("blog", "1.md", "new")


def test_a_source_that_is_away_is_one_line_and_the_others_are_imported(
    folder: Path, tmp_path: Path, program: Program
) -> None:
    (folder / "1.md").write_text(edition())
    away = '[[sources]]\nname = "away"\nkind = "folder"\npath = "nowhere"\n'
    blog = f'[[sources]]\nname = "blog"\nkind = "folder"\npath = "{folder}"\n'
    configure(program, tmp_path, away + blog)

    problem, imported = program("watch", "--once", "--json").json_lines

    assert problem["source"] == "away"
    assert "cannot be read: No such file" in problem["error"]
    assert imported["source"] == "blog"
    assert program("watch", "--once").code == 1


def test_without_sources_it_says_what_to_add(program: Program) -> None:
    done = program("watch", "--once")

    assert done.code == 2
    assert done.err.startswith("error: no source is configured; add a [[sources]] table")


def test_the_list_shows_state_and_last_send(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text(edition())
    (folder / "2.md").write_text("")
    program("watch", "--once")

    shown = program("digest", "list").out

    assert "○ ready" in shown
    assert "✕ held: empty" in shown
    assert shown.splitlines()[0].split() == [
        "revision",
        "date",
        "source",
        "state",
        "last",
        "send",
        "edition",
    ]


def test_the_list_as_json_has_exactly_these_keys(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text(edition())
    program("watch", "--once")

    (said,) = program("digest", "list", "--json").json_lines

    assert list(said) == _LISTED
    assert said["date"] == "2026-03-02T08:00:00+08:00"
    assert (said["state"], said["last_send"]) == ("ready", None)


def test_a_title_with_brackets_is_shown_as_it_is(folder: Path, program: Program) -> None:
    (folder / "1.md").write_text(edition().replace("今日新闻", "[/dev] [bold]FLUX"))
    program("watch", "--once")

    assert "[/dev] [bold]FLUX" in program("digest", "list").out


def test_an_empty_list_says_how_to_fill_it(program: Program) -> None:
    assert "distributor watch --once" in program("digest", "list").out


def test_an_imported_edition_comes_back_as_the_file_that_it_was(
    folder: Path, program: Program
) -> None:
    (folder / "1.md").write_text(edition())
    (imported,) = program("watch", "--once", "--json").json_lines

    assert program("digest", "source", imported["revision"][:8]).out == edition()
