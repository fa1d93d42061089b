"""An Official Account's calls, judged by errcode, and the page that shows its articles."""

from __future__ import annotations

import io
from typing import Any

import html5lib
import pytest
import requests
from PIL import Image

from tests.sandbox.conftest import Client


def png(side: int = 20) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "#0b5fa5").save(file, "PNG")
    return file.getvalue()


class Account:
    """One account's way to the calls."""

    def __init__(self, client: Client, app_id: str = "wx1") -> None:
        self.base = f"{client.sandbox.base_url}/cgi-bin"
        asked = {"grant_type": "client_credential", "appid": app_id, "secret": "s"}
        self.said = requests.post(f"{self.base}/stable_token", json=asked, timeout=10).json()
        self.query = {"access_token": self.said.get("access_token", "")}

    def call(self, name: str, **body: Any) -> dict[str, Any]:
        url = f"{self.base}/{name}"
        answer: dict[str, Any] = requests.post(url, params=self.query, json=body, timeout=10).json()
        return answer

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        files = {"media": ("p.png", content, "image/png")}
        url = f"{self.base}/{name}"
        answer: dict[str, Any] = requests.post(
            url, params=self.query, files=files, timeout=10
        ).json()
        return answer

    def draft(self, **changes: Any) -> dict[str, Any]:
        article = {
            "title": "今日要闻",
            "author": "编辑部",
            "digest": "三件大事",
            "content": "<section><p>正文</p></section>",
            "content_source_url": "https://news.example/1",
            "thumb_media_id": self.upload("material/add_material", png())["media_id"],
        }
        return self.call("draft/add", articles=[{**article, **changes}])


@pytest.fixture
def account(client: Client) -> Account:
    return Account(client)


def test_a_wrong_app_gets_no_token(client: Client) -> None:
    assert Account(client, "x").said["errcode"] == 40013


def test_a_draft_is_kept_and_found_again(account: Account) -> None:
    media_id = account.draft()["media_id"]
    assert account.call("draft/get", media_id=media_id)["news_item"][0]["title"] == "今日要闻"
    listed = account.call("draft/batchget", offset=0, count=20)
    assert [draft["media_id"] for draft in listed["item"]] == [media_id]


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"title": "题" * 22}, 45003),
        ({"title": "x" * 33}, 45003),
        ({"author": "名" * 17}, 45110),
        ({"digest": "摘" * 121}, 45004),
        ({"content": "字" * 20_000}, 45002),
        ({"content": " "}, 44003),
        ({"content_source_url": "https://e.org/" + "x" * 1024}, 45005),
        ({"thumb_media_id": "media-of-somebody"}, 40007),
    ],
)
def test_a_draft_that_the_platform_refuses(
    account: Account, changes: dict[str, str], errcode: int
) -> None:
    assert account.draft(**changes)["errcode"] == errcode


@pytest.mark.parametrize(("content", "errcode"), [(b"GIF89a", 40005), (b"x" * 1_000_000, 40009)])
def test_a_picture_that_the_platform_refuses(
    account: Account, content: bytes, errcode: int
) -> None:
    assert account.upload("media/uploadimg", content)["errcode"] == errcode


def test_what_the_editor_takes_away_is_pointed_out(client: Client, account: Account) -> None:
    account.draft(
        content='<p style="float:left">x</p><table></table><img src="https://e.org/a.png">'
    )
    [kept] = client.messages(platform="official")
    assert "<img" not in kept["body"]["article"]["content"]
    assert len(kept["warnings"]) == 3


def test_an_article_is_published_when_asked_for_the_second_time(account: Account) -> None:
    media_id = account.draft()["media_id"]
    publish_id = account.call("freepublish/submit", media_id=media_id)["publish_id"]
    states = [
        account.call("freepublish/get", publish_id=publish_id)["publish_status"] for _ in range(2)
    ]
    assert states == [1, 0]
    assert account.call("draft/get", media_id=media_id)["errcode"] == 40007
    [published] = account.call("freepublish/batchget")["item"]
    assert published["content"]["news_item"][0]["content_source_url"] == "https://news.example/1"


def test_a_mass_send_with_the_same_client_id_happens_once(account: Account) -> None:
    def to_all() -> dict[str, Any]:
        mpnews = {"media_id": account.draft()["media_id"]}
        return account.call("message/mass/sendall", mpnews=mpnews, clientmsgid="1-a-1")

    first, second = to_all(), to_all()
    assert (first["errcode"], second["errcode"]) == (0, 45065)
    assert first["msg_id"] == second["msg_id"]


def test_the_quota_of_a_day_is_used_up(account: Account) -> None:
    codes = [account.call("freepublish/submit", media_id="x")["errcode"] for _ in range(101)]
    assert codes == [40007] * 100 + [45009]


def test_one_account_does_not_see_the_drafts_of_another(client: Client, account: Account) -> None:
    media_id = account.draft()["media_id"]
    assert Account(client, "wx2").call("draft/get", media_id=media_id)["errcode"] == 40007


def test_the_page_shows_the_article_and_runs_nothing_of_it(
    client: Client, account: Account
) -> None:
    assert "will be shown here" in client.get("/official").text
    account.draft(title="<b>要闻</b>", content="<p>正文</p><script>alert(1)</script>")
    page = client.get("/official")
    html5lib.HTMLParser(strict=True).parse(page.text)
    assert "&lt;b&gt;要闻&lt;/b&gt;" in page.text
    body = client.get("/official/1/body")
    assert "<p>正文</p>" in body.text
    assert "sandbox allow-popups" in body.headers["Content-Security-Policy"]
    assert client.get("/official/7/body").status_code == 404
