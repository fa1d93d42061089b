from __future__ import annotations

import json
from importlib.resources import files

from distributor.digest.publishable import HoldReason
from distributor.digest.reader import read
from distributor.digest.view import as_json

POST = """---
title: 日报
date: 2025-05-24T09:16:18.418+08:00
categories: [AI]
---
导语**重点**。

## 模型

1. [甲](https://a.cn/1)

   正文

---

结语 <u>x</u>
"""


def test_the_json_has_the_documented_fields() -> None:
    digest = read(POST.encode(), "a.md")

    shown = as_json(digest, "posts/a.md", [HoldReason("draft", "because")], digest.warnings)

    assert json.loads(json.dumps(shown)) == {
        "file": "posts/a.md",
        "revision": digest.revision,
        "title": "日报",
        "date": "2025-05-24T09:16:18.418+08:00",
        "language": "zh-CN",
        "categories": ["AI"],
        "intro": "导语重点。",
        "sections": ["模型"],
        "items": [
            {"number": 1, "title": "甲", "url": "https://a.cn/1", "text": "正文", "section": "模型"}
        ],
        "commentary": "结语 x",
        "publishable": False,
        "reasons": [{"code": "draft", "message": "because"}],
        "warnings": [{"code": "raw-html", "message": "dropped raw HTML “<u>” (and 1 more)"}],
    }


def test_what_is_not_there_is_null() -> None:
    shown = as_json(read("正文".encode(), "a.md"), "a.md", [], [])

    assert (shown["date"], shown["commentary"], shown["publishable"]) == (None, None, True)


def test_the_shipped_sample_is_a_whole_edition() -> None:
    sample = files("distributor.sandbox") / "sample" / "digest.md"
    digest = read(sample.read_bytes(), sample.name)

    assert len(digest.items) == 12
    assert all(item.url and item.url.startswith("https://") and item.body for item in digest.items)
    assert len(digest.commentary) == 3
    assert digest.warnings == ()
