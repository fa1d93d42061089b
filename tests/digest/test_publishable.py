from __future__ import annotations

import pytest

from distributor.digest.publishable import reasons_to_hold
from distributor.digest.reader import read

STORY = "1. [标题](https://a.cn/1)\n\n   正文。\n"


def _codes(body: str, fields: str = "title: 日报\n") -> list[str]:
    digest = read(f"---\n{fields}---\n{body}".encode(), "a.md")
    return [reason.code for reason in reasons_to_hold(digest)]


def test_an_ordinary_edition_may_go_out() -> None:
    assert _codes(f"导语。\n\n---\n\n{STORY}\n---\n\n### 点评\n\n结语。") == []


def test_prose_may_go_out() -> None:
    assert _codes("## 中文版\n\n" + "今天我们去看一条两百米的长龙。" * 100) == []


def test_an_empty_file_is_held() -> None:
    assert [reason.code for reason in reasons_to_hold(read(b"", "a.md"))] == ["empty"]


@pytest.mark.parametrize("body", ["", "\n\n---\n", "<!-- nothing -->", "<audio></audio>"])
def test_a_title_with_nothing_below_it_is_held(body: str) -> None:
    assert _codes(body) == ["no-content"]


@pytest.mark.parametrize(
    "body",
    [
        "抱歉，我无法完成您的要求。\n\n请提供有效的新闻内容。",
        "好的，收到指令！在分析新闻源后，我发现一个问题，无法完成撰写。",
        "我无法访问您提供的链接。",
        "作为一个AI助手，我没有实时信息。",
        "I cannot fulfill this request.",
        "I'm sorry, but I can't assist with that.",
        "As an AI language model, I do not have access to news.",
        "Please provide the articles that you want me to summarize.",
    ],
)
def test_a_refusal_is_held(body: str) -> None:
    assert "refusal" in _codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "Rate limit reached for model in organization.",
        '{"error": {"message": "No prompt specified"}}',
        "Error 503: Service Unavailable",
        "Traceback (most recent call last):\n  File x",
        "由于数据源接口出现异常，今日未能成功抓取。",
    ],
)
def test_an_error_message_instead_of_news_is_held(body: str) -> None:
    assert "error-message" in _codes(body)


@pytest.mark.parametrize(
    "body",
    [
        "在过去4小时内，未筛选出值得关注的全球AI领域重大新闻。",
        "根据收集到的信息，没有发现关于全球AI领域的重大新闻。",
        "**今日暂无有效新闻内容可供摘要。**",
        "There is no significant AI news in the last four hours.",
        "No new stories were found today.",
        "今日未发现值得记录的格密码相关新论文。",
    ],
)
def test_a_notice_of_no_news_is_held(body: str) -> None:
    assert "no-news" in _codes(body)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/a",
        "https://www.example.com/a",
        "https://news.example.org",
        "http://localhost:8000/x",
        "http://127.0.0.1/x",
        "http://[::1]/",
        "https://site.invalid/",
        "about:blank",
        "#",
        "",
    ],
)
def test_a_story_that_links_to_a_placeholder_is_held(address: str) -> None:
    assert _codes(f"1. [标题]({address})\n\n   正文。") == ["placeholder-link"]


def test_a_placeholder_link_in_a_body_is_held() -> None:
    assert _codes(f"{STORY}\n   见 [详情](https://example.com/a)。") == ["placeholder-link"]


def test_the_message_says_which_story_leads_where() -> None:
    digest = read("1. [甲](https://example.com/a)\n\n   文".encode(), "a.md")
    (reason,) = reasons_to_hold(digest)

    assert reason.message == ("item 1 “甲” leads to a placeholder: “https://example.com/a”")


@pytest.mark.parametrize(
    "body",
    [
        f"```markdown\n---\ntitle: x\n---\n{STORY}```",
        f"```\n# 日报\n\n{STORY}```",
        f"好的，这是今天的日报：\n\n```markdown\n# 日报\n\n{STORY}",
    ],
)
def test_a_post_inside_a_code_fence_is_held(body: str) -> None:
    assert "code-fence" in _codes(body)


def test_literal_newlines_are_held() -> None:
    assert _codes(r"今日新闻。\n\n1. 甲发布。\n2. 乙开源。") == ["literal-newline"]


@pytest.mark.parametrize(
    "tag", ["*|FNAME|*", "{{ name }}", "{{ user.name | title }}", "%%FIRSTNAME%%"]
)
def test_unfilled_merge_tags_are_held(tag: str) -> None:
    assert _codes(f"您好 {tag} ，今日要闻。\n\n{STORY}") == ["merge-tag"]


def test_a_draft_is_held() -> None:
    assert _codes(STORY, "title: 日报\ndraft: true\n") == ["draft"]


@pytest.mark.parametrize(
    "words",
    [
        "用户看到 Rate limit reached 的提示，服务返回 Error 503。",
        "攻击者可以通过 <http://localhost:3000> 读取文件。",
        "教程里的 [example.com](https://example.com/) 是保留域名。",
        "他说：“I cannot help it.” 抱歉，我无法完成您的要求。",
        "研究团队没有发现新的更新，暂无消息。",
        r"路径是 C:\new\name，用“\n\n”作为停止词。",
        "模板写作 `{{ name }}`，工作流写作 ${{ secrets.KEY }}。",
        "今天我们学习 2 * 3 与 |x| 的意思。",
    ],
)
def test_news_about_errors_and_templates_is_no_error(words: str) -> None:
    assert _codes(f"导语。\n\n1. [标题](https://a.cn/1)\n\n   {words}\n") == []


def test_an_apology_before_real_news_is_no_refusal() -> None:
    assert _codes(f"抱歉，昨天没有按时发出。\n\n{STORY}") == []


def test_a_code_sample_in_the_intro_of_an_edition_is_fine() -> None:
    assert _codes(f"今天的命令：\n\n```sh\nmake demo\n```\n\n{STORY}") == []
