from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from distributor.digest.model import Digest
from distributor.digest.publishable import RULES, HoldReason
from distributor.digest.reader import read
from distributor.digest.verdict import HOLDING_CODES, Policy, Verdict, compared, judge

NOW = datetime(2025, 6, 10, 8, tzinfo=UTC)


def _digest(body: str, title: str = "日报", date: str = "2025-06-10") -> Digest:
    return read(f"---\ntitle: {title}\ndate: {date}\n---\n{body}".encode(), "a.md")


def _story(path: str, title: str = "一条新闻") -> str:
    return f"1. [{title}](https://a.cn/{path})\n\n   正文。\n"


def _codes(verdict: Verdict) -> tuple[list[str], list[str]]:
    return [r.code for r in verdict.reasons], [w.code for w in verdict.warnings]


MERGE_TAG = _digest(f"您好 *|FNAME|* ，\n\n{_story('1')}")


def test_a_finding_holds_by_default() -> None:
    assert _codes(judge(MERGE_TAG, Policy())) == (["merge-tag"], [])


def test_a_rule_can_be_made_a_warning_that_keeps_its_words() -> None:
    verdict = judge(MERGE_TAG, Policy(warn=frozenset({"merge-tag"})))

    assert _codes(verdict) == ([], ["merge-tag"])
    assert "*|FNAME|*" in verdict.warnings[0].message


def test_a_rule_can_be_turned_off() -> None:
    assert _codes(judge(MERGE_TAG, Policy(off=frozenset({"merge-tag"})))) == ([], [])


def test_a_warning_can_be_turned_off() -> None:
    digest = _digest("1. [甲](https://a.cn/1)\n\n   文\n\n2. 乙\n\n   文\n")

    assert _codes(judge(digest, Policy())) == ([], ["no-link"])
    assert _codes(judge(digest, Policy(off=frozenset({"no-link"})))) == ([], [])


@pytest.mark.parametrize(
    ("date", "codes"),
    [
        ("2025-06-10", []),
        ("2025-06-11", []),
        ("2025-06-08", []),
        ("2025-06-13", ["future-date"]),
        ("2025-06-01", ["old-date"]),
    ],
)
def test_the_date_of_an_unattended_edition_is_judged(date: str, codes: list[str]) -> None:
    digest = _digest(_story("1"), date=date)

    assert _codes(judge(digest, Policy(), unattended_at=NOW)) == (codes, [])


def test_the_date_of_an_edition_that_an_operator_names_is_not_judged() -> None:
    assert _codes(judge(_digest(_story("1"), date="2019-01-01"), Policy())) == ([], [])


def test_the_age_at_which_an_unattended_edition_is_held_can_be_set() -> None:
    digest = _digest(_story("1"), date="2025-06-01")
    policy = Policy(max_age=timedelta(days=30))

    assert _codes(judge(digest, policy, unattended_at=NOW)) == ([], [])


def test_an_edition_without_a_date_is_not_held_for_it() -> None:
    digest = read(f"# 日报\n\n{_story('1')}".encode(), "a.md")

    assert judge(digest, Policy(), unattended_at=NOW).reasons == ()


def test_a_file_that_was_not_read_to_its_end_is_held() -> None:
    digest = _digest("- [标题](https://a.cn/1) 正文\n" * 20_000)

    assert [r.code for r in judge(digest, Policy()).reasons] == ["cut-off"]


def test_every_rule_gives_a_code_that_can_be_configured() -> None:
    held = [
        _digest(_story("1")),
        read(b"", "a.md"),
        _digest(""),
        _digest("抱歉，我无法完成您的要求。"),
        _digest("Rate limit reached"),
        _digest("今日暂无新闻。"),
        _digest("1. [甲](https://example.com/a)"),
        _digest("```markdown\n# 日报\n\n- x\n```"),
        _digest(r"今日新闻。\n\n1. 甲发布。\n2. 乙开源。"),
        MERGE_TAG,
    ]
    found = {
        r.code for digest in held for rule in RULES if isinstance(r := rule(digest), HoldReason)
    }

    assert found <= set(HOLDING_CODES)
    assert len(found) == len(held) - 1


def test_an_item_of_an_earlier_edition_is_a_warning() -> None:
    earlier = _digest(_story("1"), title="昨日")
    digest = _digest(_story("1") + "2. [乙](https://a.cn/2)\n\n   文\n")

    (warning,) = compared(digest, [earlier])

    assert warning.code == "earlier-item"
    assert warning.message == "item 1 “一条新闻” stood in “昨日” already"


def test_the_title_of_the_last_edition_is_a_warning_and_an_older_one_is_none() -> None:
    digest, other = _digest(_story("1")), _digest(_story("3"), title="昨日")
    same = _digest(_story("2"))

    assert [w.code for w in compared(digest, [same, other])] == ["same-title"]
    assert compared(digest, [other, same]) == ()


def test_what_is_new_is_no_warning() -> None:
    assert compared(_digest(_story("1")), [_digest(_story("2"), title="昨日")]) == ()
