"""Every body is checked with the robot's own rules before it leaves."""

from typing import Any

import pytest

from channels.base import RenderError
from channels.links import is_link
from channels.wechat.messages.limits import APP, URL_BYTES, validate

ARTICLE = {"title": "标题", "description": "", "url": "https://source.example/"}


def news(*articles: dict[str, str]) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": list(articles)}}


@pytest.mark.parametrize(
    "body",
    [
        news(*[ARTICLE] * 8),
        news({**ARTICLE, "title": "题" * 42, "description": "述" * 170}),
        {"msgtype": "text", "text": {"content": "字" * 682}},
    ],
)
def test_body_at_the_limits_is_accepted(body: dict[str, Any]) -> None:
    validate(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (news(), "1 to 8 articles"),
        (news(*[ARTICLE] * 9), "1 to 8 articles"),
        (news({**ARTICLE, "title": "题" * 43}), "title takes 129 bytes"),
        (news({**ARTICLE, "title": " "}), "title of a message is empty"),
        (news({**ARTICLE, "description": "述" * 171}), "description takes 513 bytes"),
        (news({**ARTICLE, "url": ""}), "must be an http or https link"),
        ({"msgtype": "text", "text": {"content": "字" * 683}}, "content takes 2,049 bytes"),
        (news({**ARTICLE, "picurl": "cover.png"}), "picurl of the article '标题' must be"),
        ({"msgtype": "markdown", "markdown": {"content": "字" * 1366}}, "takes 4,098 bytes"),
        ({"msgtype": "image", "image": {"base64": "aGk=", "md5": "0" * 32}}, "MD5"),
        ({"msgtype": "text", "text": {"content": ""}}, "content of a message is empty"),
        ({"msgtype": "voice", "voice": {}}, "no kind"),
    ],
)
def test_body_that_the_robot_would_refuse_is_an_error(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        validate(body)


def test_app_takes_shorter_markdown_and_no_second_version() -> None:
    validate({"msgtype": "markdown", "markdown": {"content": "字" * 682}}, APP)
    for kind, length in (("markdown", 683), ("markdown_v2", 1)):
        with pytest.raises(RenderError):
            validate({"msgtype": kind, kind: {"content": "字" * length}}, APP)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "//host/path",
        "https://",
        "https://a b/",
        "https://[x",
        "https://h/\n",
    ],
)
def test_what_cannot_be_opened_is_no_link(url: str) -> None:
    assert not is_link(url, URL_BYTES)
