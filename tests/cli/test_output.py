"""What a person copies out of a terminal: no blanks at the ends of lines, links in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.support.service import Service

_LINK = f"https://example.org/{'a-long-road-' * 20}end"


@pytest.mark.parametrize(
    "command",
    [["lists", "show"], ["status"], ["status", "1"], ["log", "1"]],
    ids=" ".join,
)
def test_tables_end_without_blanks(shop: Service, program: Program, command: list[str]) -> None:
    shop.subscribe("email", "a-much-longer-address@news.dev")
    shop.deliver(shop.start_and_plan())

    done = program(*command)

    assert done.code == 0
    assert [line for line in done.out.splitlines() if line != line.rstrip()] == []


def test_a_long_link_stays_in_one_piece(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "edition.md"
    file.write_text(f"# News\n\n1. [A story]({_LINK})\n\n   With a body.\n", encoding="utf-8")

    done = program("digest", "show", file)

    assert f"     {_LINK}\n" in done.out
