"""An Official Account takes an edition step by step to an article, through any break."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image as Picture
from pydantic import SecretStr

from channels.base import AccountUnreachable, Edition, Outcome, Part, Recipient, Verdict
from channels.wechat import CHANNEL
from channels.wechat.account import WeChatAccount
from channels.wechat.official import connection as official
from channels.wechat.official.connection import OfficialConnection
from channels.wechat.official.pictures import NoPicture, fetch, fitted
from channels.wechat.official.render import render_article
from channels.wechat.tokens import check
from distributor.digest.model import Image, Paragraph
from tests.support.platforms import Platforms

from .editions import edition, stories

PICTURE_URL = "https://pictures.example/chart.png"


def account(base_url: str = "https://api.weixin.qq.com", **options: Any) -> WeChatAccount:
    chosen = {"app_id": "wx1", "secret": SecretStr("mp-secret-of-the-tests"), **options}
    return WeChatAccount(name="mp", kind="official", base_url=base_url, **chosen)


def of_this_test(name: str) -> Edition:
    return edition(*stories(2), web_url=f"https://news.example/editions/{name}")


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Edition:
    """An edition with an address of its own, by which its draft is found again."""
    return of_this_test(request.node.name.partition("[")[0])


class Desk:
    """Delivers as the courier does: from the first part that was not accepted."""

    def __init__(self, base_url: str, of: Edition, **options: Any) -> None:
        self.account = account(base_url, **options)
        self.parts: Sequence[Part] = render_article(of, self.account).parts
        self.accepted: list[str] = []
        self.outcomes: list[Outcome] = []

    def step(self, address: str = "official:all") -> Outcome:
        """One try at the next part, over a new connection, as after a crash."""
        connection = OfficialConnection(self.account)
        recipient = Recipient(address, "7-0123456789abcdef-1", accepted=tuple(self.accepted))
        outcome = connection.deliver(self.parts[len(self.accepted)], recipient)
        connection.close()
        self.outcomes.append(outcome)
        if outcome.verdict is Verdict.SENT:
            assert outcome.message_id is not None
            self.accepted.append(outcome.message_id)
        return outcome

    def run(self, most: int = 12) -> Outcome:
        """Step until the last part is accepted, or one has failed."""
        outcome = self.step()
        for _ in range(most):
            if len(self.accepted) == len(self.parts) or outcome.verdict is Verdict.FAILED:
                break
            outcome = self.step()
        return outcome


def articles(sandbox: Platforms) -> list[tuple[str, str]]:
    return [(one["body"]["state"], one["summary"]) for one in sandbox.received("official")]


def test_account_that_may_not_publish_ends_with_a_draft_for_a_person(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    outcome = Desk(base_url, shown).run()
    assert (outcome.verdict, outcome.code) == (Verdict.SENT, "draft-ready")
    assert outcome.reply.startswith("draft ready: publish it by hand at https://mp.weixin.qq.com/")
    assert articles(sandbox) == [("draft", "2026.03.02 全球AI新闻速递")]


def test_article_is_published_and_its_address_is_told(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    desk = Desk(base_url, shown, publish="publish")
    outcome = desk.run()
    assert (outcome.verdict, outcome.code) == (Verdict.SENT, "ok")
    assert "published: https://mp.weixin.qq.com/s/" in outcome.reply
    assert "wechat-not-yet" in [one.code for one in desk.outcomes]
    assert articles(sandbox) == [("published", "2026.03.02 全球AI新闻速递")]


def test_account_that_lost_the_right_to_publish_says_that_a_person_has_to(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    sandbox.misbehave("official", "reject", match="freepublish", code=48001, text="unauthorized")
    outcome = Desk(base_url, shown, publish="publish").run()
    assert (outcome.verdict, outcome.code) == (Verdict.SENT, "draft-ready")
    assert [state for state, _ in articles(sandbox)] == ["draft"]


def test_mass_send_goes_to_all_followers_once(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    desk = Desk(base_url, shown, publish="mass")
    assert desk.run().verdict is Verdict.SENT
    first = desk.accepted[2]
    del desk.accepted[2:]
    again = desk.step()
    assert (again.verdict, again.message_id) == (Verdict.SENT, first)
    assert "clientmsgid exist" in again.reply
    assert [state for state, _ in articles(sandbox)] == ["sent to all"]


def test_no_quota_left_is_the_accounts_fault_and_final(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    sandbox.misbehave("official", "reject", match="mass/sendall", code=45028, text="has no quota")
    outcome = Desk(base_url, shown, publish="mass").run()
    assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "wechat-45028")


@pytest.mark.parametrize("call", ["draft/add", "freepublish/submit", "material/add_material"])
def test_step_that_was_not_answered_is_tried_again_and_makes_nothing_twice(
    sandbox: Platforms, base_url: str, shown: Edition, call: str
) -> None:
    sandbox.misbehave("official", "drop_after", match=call, times=1)
    desk = Desk(base_url, shown, publish="publish")
    assert desk.run().verdict is Verdict.SENT
    assert Verdict.RETRYING in [outcome.verdict for outcome in desk.outcomes]
    assert Verdict.UNKNOWN not in [outcome.verdict for outcome in desk.outcomes]
    assert len(articles(sandbox)) == 1


def test_token_that_is_refused_is_replaced_once(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    sandbox.misbehave("official", "reject", match="draft/add", code=42001, times=1)
    assert Desk(base_url, shown).run().verdict is Verdict.SENT


@pytest.mark.parametrize(("status", "reason"), [(2, "original"), (4, "review"), (6, "banned")])
def test_publication_that_ends_badly_is_a_failure_with_its_reason(
    sandbox: Platforms, base_url: str, shown: Edition, status: int, reason: str
) -> None:
    desk = Desk(base_url, shown, publish="publish")
    while len(desk.accepted) < 3:
        desk.step()
    answer = json.dumps({"publish_id": "publish-1", "publish_status": status})
    sandbox.misbehave("official", "http_error", match="freepublish/get", status=500, body=answer)
    outcome = desk.step()
    assert (outcome.verdict, outcome.code) == (Verdict.FAILED, f"wechat-publish-{status}")
    assert reason in outcome.reply


def test_ip_that_is_not_on_the_list_holds_the_account(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    words = "invalid ip 203.0.113.9, not in whitelist"
    sandbox.misbehave("official", "reject", match="stable_token", code=40164, text=words)
    outcome = Desk(base_url, shown).step()
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "wechat-40164")
    assert "203.0.113.9" in outcome.reply
    with pytest.raises(AccountUnreachable, match=r"203\.0\.113\.9.*IP 白名单"):
        check(account(base_url))


def test_page_instead_of_json_is_tried_again(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    sandbox.misbehave("official", "http_error", match="add_material", status=502)
    outcome = Desk(base_url, shown).step()
    assert (outcome.verdict, outcome.code) == (Verdict.RETRYING, "wechat-http-502")


def test_pictures_are_uploaded_and_their_addresses_replaced(
    sandbox: Platforms, base_url: str, shown: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "fetch", lambda _: ("picture.png", png(40, 30)))
    desk = Desk(base_url, with_picture(shown))
    assert desk.run().verdict is Verdict.SENT
    [kept] = sandbox.received("official")
    assert PICTURE_URL not in kept["body"]["article"]["content"]
    assert '<img src="http://mmbiz.qpic.cn/sandbox/' in kept["body"]["article"]["content"]
    assert kept["warnings"] == []


def test_picture_that_cannot_be_had_is_left_out_and_said_to_be(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    desk = Desk(base_url, with_picture(shown))
    assert desk.run().verdict is Verdict.SENT
    assert desk.outcomes[1].code == "picture-left-out"
    [kept] = sandbox.received("official")
    assert "<img" not in kept["body"]["article"]["content"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png",
        "http://localhost/x.png",
        "http://169.254.169.254/latest",
        "http://[::1]/x.png",
        "ftp://example.org/x.png",
        "http://nowhere.invalid/x.png",
        "https://[x",
    ],
)
def test_only_public_hosts_are_asked_for_pictures(url: str) -> None:
    with pytest.raises(NoPicture):
        fetch(url)


def test_picture_is_made_one_that_the_platform_takes() -> None:
    name, content = fitted(png(1600, 1200, "WEBP"))
    assert name == "picture.jpg"
    with Picture.open(io.BytesIO(content)) as image:
        assert (image.format, image.width) == ("JPEG", 1354)
    assert fitted(png(40, 30)) == ("picture.png", png(40, 30))
    with pytest.raises(NoPicture, match="no picture"):
        fitted(b"<html>")


LONG_TITLE = "关于人工智能产业发展与治理的若干重要动态以及三个长期趋势"


@pytest.mark.parametrize(
    ("title", "is_cut"),
    [("短标题", False), (LONG_TITLE, False), (LONG_TITLE * 3, True), ("x" * 200, True)],
)
def test_title_is_cut_to_what_the_platform_takes_and_said_to_be(title: str, is_cut: bool) -> None:
    rendering = render_article(edition(*stories(1), title=title), account())
    draft = rendering.parts[1].payload
    assert len(draft["article"]["title"]) <= 32
    assert len(draft["short_title"].encode()) <= 64
    assert (draft["article"]["title"] != title) == is_cut == bool(rendering.warnings)


def test_account_that_counts_the_title_in_bytes_gets_a_shorter_one(
    sandbox: Platforms, base_url: str, shown: Edition
) -> None:
    digest = replace(shown.digest, title=LONG_TITLE)
    outcome = Desk(base_url, replace(shown, digest=digest)).run()
    assert outcome.code == "draft-ready"
    [(_, title)] = articles(sandbox)
    assert title.endswith("…")
    assert len(title.encode()) <= 64


def test_channel_renders_the_steps_and_connects() -> None:
    parts = CHANNEL.render(edition(*stories(1)), account(publish="publish")).parts
    assert [part.payload["step"] for part in parts] == ["cover", "draft", "publish", "published"]
    connection = CHANNEL.connect(account())
    assert isinstance(connection, OfficialConnection)
    connection.close()


def png(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (width, height), "#0b5fa5").save(file, kind)
    return file.getvalue()


def with_picture(of: Edition) -> Edition:
    digest = replace(of.digest, intro=(Paragraph((Image(PICTURE_URL, "图表"),)),))
    return replace(of, digest=digest)
