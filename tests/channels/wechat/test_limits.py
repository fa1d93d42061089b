"""Every body is checked with the robot's own rules before it leaves."""

from typing import Any

import pytest

from channels.base import RenderError
from channels.wechat.limits import is_link, validate

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
        (news({**ARTICLE, "url": ""}), "needs an http or https link"),
        ({"msgtype": "text", "text": {"content": "字" * 683}}, "content takes 2,049 bytes"),
        ({"msgtype": "text", "text": {"content": ""}}, "content of a message is empty"),
        ({"msgtype": "voice", "voice": {}}, "no kind"),
    ],
)
def test_body_that_the_robot_would_refuse_is_an_error(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        validate(body)


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
    assert not is_link(url)
