"""What the commands for subscribers tell a person."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Program


def imported(program: Program, folder: Path, *addresses: str) -> str:
    """What an import of these addresses says."""
    file = folder / "readers.csv"
    file.write_text("\n".join(("address", *addresses)))
    program("lists", "create", "daily")
    return program("subscribers", "import", file, "--channel", "email", "--list", "daily").out


def test_an_import_accounts_for_rows_that_repeat_an_earlier_one(
    program: Program, tmp_path: Path
) -> None:
    said = imported(program, tmp_path, "bob@example.net", "Bob@example.net", "ann@example.net")

    assert said.startswith("2 new, 0 already known, 2 joined, 0 rejected.")
    assert "1 repeated an earlier row of the file." in said


def test_an_import_without_repetitions_says_nothing_of_them(
    program: Program, tmp_path: Path
) -> None:
    assert "repeated" not in imported(program, tmp_path, "bob@example.net")
