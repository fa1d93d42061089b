from __future__ import annotations

import pytest

from distributor.digest.reader import UnreadableDigest, read

TEXT = "---\ntitle: 今日要闻\n---\n\n1. [开源模型发布](https://a.cn/1)\n\n   模型的权重可以下载。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_reads_the_encodings_that_editors_save(encoding: str) -> None:
    digest = read(TEXT.encode(encoding), "a.md")

    assert digest.title == "今日要闻"
    assert len(digest.items) == 1


def test_reads_old_line_ends() -> None:
    assert read(TEXT.replace("\n", "\r\n").encode(), "a.md").title == "今日要闻"
    assert read(TEXT.replace("\n", "\r").encode(), "a.md").title == "今日要闻"


def test_a_damaged_character_does_not_turn_utf8_into_another_encoding() -> None:
    digest = read(TEXT.encode().replace("载".encode(), "载".encode()[:2]), "a.md")

    assert digest.title == "今日要闻"
    assert [warning.code for warning in digest.warnings] == ["encoding"]


def test_control_characters_are_dropped_with_a_warning() -> None:
    digest = read(b"# A\x00b\x1b\n\ntext", "a.md")

    assert digest.title == "Ab"
    assert [warning.code for warning in digest.warnings] == ["control-characters"]


def test_binary_data_is_unreadable_and_the_error_names_the_file() -> None:
    with pytest.raises(UnreadableDigest, match=r"cover\.png is not text"):
        read(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "cover.png")
