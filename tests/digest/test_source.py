"""What generators, editors and people write around the words, and where title and date may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.digest.model import Digest
from distributor.digest.plain import block_text
from distributor.digest.reader import name_of, read

STORIES = "\n\n- [a title](https://a.cn/1)\n- [b title](https://a.cn/2)\n"


def _words(body: str) -> str:
    return block_text(read(f"---\ntitle: T\n---\n{body}".encode(), "a.md").intro)


def _codes(digest: Digest) -> list[str]:
    return [warning.code for warning in digest.warnings]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('甲{{< figure src="x.png" >}}乙', "甲乙"),
        ("甲{{% notice tip %}}乙{{% /notice %}}", "甲乙"),
        ('甲{% include x.html a="b" %}乙', "甲乙"),
        ("甲{{ site.title }}乙", "甲乙"),
        ("甲{/* 注 */}乙", "甲乙"),
        ('甲<Tweet id="1" />乙', "甲乙"),
        ("import A from './a'\n\nexport const x = 1\n\n甲", "甲"),
        ('甲{:target="_blank"}', "甲"),
        (":::tip 提示\n甲\n:::", "甲"),
        ("> [!NOTE]\n> 甲", "甲"),
        ("见 [[笔记]] 和 [[页|别名]]", "见 笔记 和 别名"),
        ("甲[^1]\n\n[^1]: 注", "甲[1]\n\n[1] 注"),
        ("甲\n\n<!--more-->\n\n乙", "甲\n\n乙"),
        ("* TOC\n{:toc}\n\n甲", "甲"),
        ("`{{< x >}}` 和 `[[y]]`", "{{< x >}} 和 [[y]]"),
        ("```\n{% raw %}<!-- c -->\n```", "{% raw %}<!-- c -->"),
    ],
)
def test_tags_of_generators_leave_no_trace(written: str, words: str) -> None:
    assert _words(written) == words


def test_dropped_tags_are_a_warning() -> None:
    assert _codes(read(b"# T\n\n{% include x.html %}\n\ntext", "a.md")) == ["generator-tag"]


def test_a_link_made_by_a_tag_is_relative_to_the_site() -> None:
    source = b'# T\n\n- [a title]({{< ref "/posts/a" >}})\n- [b title]({{ site.baseurl }}/b/)\n'

    assert [item.url for item in read(source, "a.md", "https://me.org").items] == [
        "https://me.org/posts/a",
        "https://me.org/b/",
    ]


@pytest.mark.parametrize(
    ("source", "title", "date"),
    [
        ("Title: A\nDate: 2024-05-06\nCategory: x", "A", "2024-05-06"),
        ("+++\ntitle = 'A'\ndate = 2024-05-06\n[taxonomies]\ntags = ['x']\n+++", "A", "2024-05-06"),
        ('{"title": "A", "publishedAt": "2024-05-06"}', "A", "2024-05-06"),
        ("---\ntitle: ! 'A #1'\npubDate: May 6, 2024\n---", "A #1", "2024-05-06"),
        ("---title: A\ndate: 2024/5/6 8:05:01\n---", "A", "2024-05-06"),
        (
            "---\ntitle: >\n  A\n  B\npublish_date: '2024-05-06T12:00:15.123Z'\n---",
            "A B",
            "2024-05-06",
        ),
        ("---\nsubject: A\npubDatetime: 6 de mayo de 2024\n---", "A", "2024-05-06"),
        ("---\ntitle: A: B: C\ndate: 2024-05-06\n---", "A: B: C", "2024-05-06"),
        ("---\ntitle: A\ndate: 06-05-2024\n---", "A", "2024-05-06"),
        ("---\ntitle: A\ndate: 05/06/2024\n---", "A", "2024-05-06"),
        ("# [2024-05-06](https://a.cn/issue)\n\n# A", "A", "2024-05-06"),
        ("# A 2024年5月6日", "A 2024年5月6日", "2024-05-06"),
        ("## A\n\n> 2024年05月06日 19:47:39\n\n## B", "A", "2024-05-06"),
    ],
)
def test_title_and_date_are_found_wherever_they_stand(source: str, title: str, date: str) -> None:
    digest = read(f"{source}\n{STORIES}".encode(), "a.md")

    assert (digest.title, digest.date and digest.date.date().isoformat()) == (title, date)
    assert len(digest.items) == 2


def test_a_field_on_the_opening_line_is_a_warning() -> None:
    assert "front-matter" in _codes(read(b"---title: A\n---\ntext", "a.md"))


def test_words_with_a_colon_are_no_front_matter() -> None:
    digest = read(b"Date night: a story.\nMore of it.\n\ntext", "a.md")

    assert digest.title == "Date night: a story. More of it."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("posts/2024-05-06-x.md", "2024-05-06-x.md"),
        ("posts/2024/05/06/index.md", "2024/05/06/index.md"),
        ("posts/024-2024-may-6.md", "024-2024-may-6.md"),
        ("posts/x/index.md", "index.md"),
    ],
)
def test_the_name_of_an_edition_holds_its_date(path: str, name: str) -> None:
    assert name_of(Path(path)) == name


def test_the_date_may_stand_in_the_name_only() -> None:
    date = read(b"text", "2024/05/06/index.md").date

    assert date is not None
    assert date.date().isoformat() == "2024-05-06"


def test_without_words_of_its_own_an_edition_is_called_as_its_file() -> None:
    assert read(STORIES.encode(), "weekly-links-7.md").title == "weekly links 7"


@pytest.mark.parametrize("field", ["draft: true", "published: false", "status: draft"])
def test_a_draft_says_so_in_many_ways(field: str) -> None:
    assert read(f"---\ntitle: A\n{field}\n---\ntext".encode(), "a.md").draft


def test_prose_right_above_a_rule_is_no_heading() -> None:
    digest = read(f"# T\n\n这是导语，讲了今天的事。\n---{STORIES}".encode(), "a.md")

    assert (block_text(digest.intro), digest.sections) == ("这是导语，讲了今天的事。", ())


def test_html_links_are_links() -> None:
    digest = read(
        b'# T\n\n<h2>Links</h2><p>See <a href="https://b.cn/?a=1&amp;b=2">it</a></p>', "a.md"
    )

    assert block_text(digest.intro) == "Links\n\nSee it"
    assert "https://b.cn/?a=1&b=2" in repr(digest.intro)


def test_a_bare_address_ends_before_chinese_words_and_marks() -> None:
    intro = read("# T\n\n见 https://a.cn/1，和 https://b.cn/(x)).".encode(), "a.md").intro

    assert "url='https://a.cn/1'" in repr(intro)
    assert "url='https://b.cn/(x)'" in repr(intro)
