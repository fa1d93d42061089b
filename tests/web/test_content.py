"""The macros that turn the digest's structure into HTML."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributor.digest.model import (
    Block,
    Code,
    CodeBlock,
    Emphasis,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Paragraph,
    Quote,
    Rule,
    Strikethrough,
    Strong,
    Table,
    Text,
)
from distributor.digest.plain import inline_text
from distributor.templating import Templates
from distributor.web.filters import FILTERS, href
from distributor.web.words import ENGLISH

ENVIRONMENT = Templates().environment.overlay()
ENVIRONMENT.filters = {**ENVIRONMENT.filters, **FILTERS}
MACROS = ENVIRONMENT.get_template("public/content.html.j2").module

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]))
URLS = st.one_of(
    st.just("javascript:alert(1)"), WORDS, WORDS.map(lambda words: f"https://example.com/{words}")
)
INLINES = st.recursive(
    st.builds(Text, WORDS)
    | st.builds(Code, WORDS)
    | st.builds(Image, URLS, WORDS.filter(bool))
    | st.just(LineBreak()),
    lambda inner: st.one_of(
        *(
            st.builds(kind, st.lists(inner, max_size=3).map(tuple))
            for kind in (Strong, Emphasis, Strikethrough)
        ),
        st.builds(Link, URLS, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def html(*blocks: Block) -> str:
    return str(MACROS.blocks(blocks, ENGLISH)).strip()  # type: ignore[attr-defined]


def parsed(*blocks: Block) -> Element:
    fragment: Element = html5lib.parseFragment(html(*blocks), namespaceHTMLElements=False)
    return fragment


@given(st.lists(INLINES, max_size=4).map(tuple))
def test_the_words_arrive_unchanged_whatever_they_are(inlines: tuple[Inline, ...]) -> None:
    words = "".join(parsed(Paragraph(inlines)).itertext())
    assert words.strip() == inline_text(inlines).replace("\n", "").strip()


@given(st.lists(INLINES, max_size=4).map(tuple))
def test_no_word_becomes_an_element_and_no_link_runs_a_script(inlines: tuple[Inline, ...]) -> None:
    for element in parsed(Paragraph(inlines)).iter():
        assert element.tag in {"DOCUMENT_FRAGMENT", "p", "code", "br", "strong", "em", "s", "a"}
        assert set(element.attrib) <= {"href"}
        assert href(element.get("href", "https://none")) != ""


def test_a_link_within_a_link_is_only_words() -> None:
    inner = Link("https://example.com/in", (Text("in"),))
    outer = Link("https://example.com/out", (Text("out "), inner))
    assert html(Paragraph((outer,))) == '<p><a href="https://example.com/out">out in</a></p>'


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Heading(1, (Text("a"),)), "<h3>a</h3>"),
        (Heading(6, (Text("a"),)), "<h6>a</h6>"),
        (Rule(), "<hr>"),
        (CodeBlock("a < b\n  c", "c"), '<pre tabindex="0"><code>a &lt; b\n  c</code></pre>'),
        (ListBlock(((Paragraph((Text("a"),)),),)), "<ul><li>a</li></ul>"),
        (ListBlock(((Paragraph((Text("a"),)),),), start=3), '<ol start="3"><li>a</li></ol>'),
        (
            Table((((Text("a"),),), ((Text("b"),),))),
            '<div class="scroll" tabindex="0"><table>'
            "<tr><th>a</th></tr><tr><td>b</td></tr></table></div>",
        ),
        (Table((((Text("a"),),),), has_header=False), "<tr><td>a</td></tr>"),
        (Paragraph((Image("https://example.com/a.png", ""),)), ">Image</a>"),
    ],
)
def test_each_kind_of_block_has_its_element(block: Block, expected: str) -> None:
    assert expected in html(block)


def test_blocks_stand_inside_quotes_and_list_items() -> None:
    inner = (Paragraph((Text("a"),)), Quote((Paragraph((Text("b"),)),)))
    (item,) = parsed(ListBlock((inner,))).iter("li")
    assert [child.tag for child in item] == ["p", "blockquote"]
    assert [child.text for child in item.iter("p")] == ["a", "b"]
