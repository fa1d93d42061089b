"""What holds a send, who may force it, and what operators are told of an edition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from distributor.ledger import sends
from distributor.ledger.states import SendState
from distributor.operations import sending, status
from distributor.operations.errors import WrongRequest
from distributor.operations.send_request import Held, SendRequest, SendResult, Started
from distributor.settings.sections import HoldingSettings
from tests.support.service import Service

HELD = "---\ntitle: 日报\n---\n您好 *|FNAME|* ：\n\n1. [甲](https://a.cn/1)\n\n   正文\n"
FINE = "---\ntitle: {}\n---\n1. [甲](https://a.cn/1)\n\n   正文\n"


def _ask(
    shop: Service, file: Path, source: str, holding: HoldingSettings | None = None, *force: str
) -> SendResult:
    file.write_text(source, encoding="utf-8")
    settings = shop.context.settings
    if holding is not None:
        settings = settings.model_copy(update={"holding": holding})
    request = SendRequest(path=file, lists=("readers",), force=force, by="alice@desk")
    return sending.start(replace(shop.context, settings=settings), shop.hints, request)


def test_what_is_forced_goes_out_and_the_ledger_says_who_did_it(
    shop: Service, tmp_path: Path
) -> None:
    file = tmp_path / "a.md"
    assert isinstance(_ask(shop, file, HELD), Held)

    result = _ask(shop, file, HELD, None, "merge-tag")

    assert isinstance(result, Started)
    assert result.state is SendState.PREPARING
    assert [reason.code for reason in result.forced] == ["merge-tag"]
    with shop.ledger.read() as connection:
        send = sends.find(connection, result.send_id)
    assert send is not None
    assert send.forced_by == "alice@desk"
    assert send.forced is not None
    assert send.forced.startswith("merge-tag: ")
    shown = status.of_send(shop.context, result.send_id).as_json()
    assert (shown["forced_by"], shown["forced"]) == ("alice@desk", send.forced)


def test_forcing_one_reason_leaves_the_others(shop: Service, tmp_path: Path) -> None:
    source = HELD.replace("title: 日报", "title: 日报\ndraft: true")

    result = _ask(shop, tmp_path / "a.md", source, None, "draft")

    assert isinstance(result, Held)
    assert [reason.code for reason in result.reasons] == ["merge-tag"]


def test_forcing_what_was_not_found_records_nothing(shop: Service, tmp_path: Path) -> None:
    result = _ask(shop, tmp_path / "a.md", FINE.format("日报"), None, "draft")

    assert isinstance(result, Started)
    assert (result.state, result.forced) == (SendState.PREPARING, ())


def test_forcing_an_unknown_code_names_those_that_there_are(shop: Service, tmp_path: Path) -> None:
    with pytest.raises(WrongRequest, match=r"--force typo: .* there are: draft, "):
        _ask(shop, tmp_path / "a.md", FINE.format("日报"), None, "typo")


def test_a_rule_that_only_warns_lets_the_edition_out_with_a_warning(
    shop: Service, tmp_path: Path
) -> None:
    result = _ask(shop, tmp_path / "a.md", HELD, HoldingSettings(warn=("merge-tag",)))

    assert isinstance(result, Started)
    assert [warning.code for warning in result.edition.warnings] == ["merge-tag"]


def test_what_an_earlier_edition_had_is_told_and_holds_nothing(
    shop: Service, tmp_path: Path
) -> None:
    first = _ask(shop, tmp_path / "monday.md", FINE.format("日报"))
    assert isinstance(first, Started)
    assert first.edition.warnings == ()
    shop.plan(first.send_id)

    second = _ask(shop, tmp_path / "tuesday.md", FINE.format("日报") + "\n2. [乙](https://a.cn/2)")

    assert isinstance(second, Started)
    assert [warning.code for warning in second.edition.warnings] == ["same-title", "earlier-item"]


def test_a_revision_of_the_same_file_is_not_compared_with_itself(
    shop: Service, tmp_path: Path
) -> None:
    first = _ask(shop, tmp_path / "monday.md", FINE.format("日报"))
    assert isinstance(first, Started)
    shop.plan(first.send_id)

    second = _ask(shop, tmp_path / "monday.md", FINE.format("日报") + "\n更正。")

    assert second.edition.warnings == ()
