"""What a person copies out of a terminal: no blanks at the ends of lines, links in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from distributor.cli.output import out
from distributor.ledger import tables
from distributor.ledger.states import DeliveryState
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


class TestTheListOfSends:
    @pytest.fixture
    def program(
        self,
        shop: Service,
        program: Program,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Program:
        """On a terminal as wide as the test asks; one send has a delivery in every state."""
        # Three readers are there already.
        for number in range(3, len(DeliveryState)):
            shop.subscribe("email", f"reader-{number}@news.dev")
        shop.start_and_plan()
        with shop.ledger.write() as connection:
            for number, state in enumerate(DeliveryState, start=1):
                one = sa.update(tables.deliveries).where(tables.deliveries.c.id == number)
                connection.execute(one.values(state=state))
        monkeypatch.setattr(out, "width", request.param)
        return program

    @pytest.mark.parametrize("program", [80, 120], indirect=True)
    def test_adds_up_to_what_was_intended(self, program: Program) -> None:
        header, row, *_ = program("status").out.splitlines()

        names = ["intended", "sent", "failed", "unknown", "other", "open"]
        assert header.split()[-6:] == names
        assert row.split()[-6:] == ["10", "1", "1", "1", "4", "3"]

    @pytest.mark.parametrize("program", [80], indirect=True)
    def test_takes_two_lines_for_a_send_where_there_is_little_room(self, program: Program) -> None:
        _, row, below = program("status").out.splitlines()

        assert row.split()[:3] == ["1", "2026.03.02", "今日新闻"]
        assert below.split()[0] == "sending"
