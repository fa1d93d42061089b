"""Editions for the tools and the pictures: `python -m tests.mailcheck.editions FOLDER`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from channels.base import Edition, Publisher, Recipient
from channels.email.personal import Marks, Personal
from channels.email.render import render
from distributor.digest import reader
from distributor.operations.demo import sample_digest
from distributor.templating import Templates

_ENGLISH = """\
---
title: "Open Data Tools, 20 November 2026"
date: 2026-11-20T08:30:00+08:00
language: en
categories: ["Databases", "Languages"]
---

Three stories are worth your time today: a **faster join** in an embedded database, a linter that
explains itself, and a long read on why small tools last.

## Databases

1. [DuckDB shortens its sort by a third](https://duckdb.org/news/sort)

   The new sort keeps runs in memory for as long as it can and *spills late*. On a laptop with 16 GB
   the usual benchmark went from 41 to 27 seconds; run `PRAGMA enable_profiling` to see your own.

2. [SQLite learns to say why a query is slow](https://www.sqlite.org/why)

   `.eqp why` prints a sentence a person can read, with the index that would have helped:

   - which table is read whole, and how many rows that is;
   - which index would have spared it.

## Languages

3. [A linter that explains itself](https://astral.example/explain)

   > A rule without a reason is a habit.

   Every message now links to two lines of reason and one example.

---

## Commentary

Tools get smaller while the questions get larger. The ones that last do one thing, say what they
did, and leave the rest to you.
"""

_ARABIC = """\
---
title: "أدوات البيانات المفتوحة، 20 نوفمبر 2026"
date: 2026-11-20T08:30:00+03:00
language: ar
categories: ["قواعد البيانات"]
---

ثلاثة أخبار تستحق القراءة اليوم، من قاعدة بيانات **أسرع** إلى أدوات أصغر.

1. [قاعدة بيانات DuckDB تختصر زمن الفرز بمقدار الثلث](https://duckdb.org/news/sort)

   يحتفظ الفرز الجديد بالبيانات في الذاكرة أطول وقت ممكن، ثم يكتبها على القرص عند الحاجة فقط.

2. [SQLite تشرح سبب بطء الاستعلام](https://www.sqlite.org/why)

   - أي جدول يُقرأ كاملاً؛
   - وأي فهرس كان سيختصر ذلك.

---

## تعليق

الأدوات تصغر والأسئلة تكبر.
"""

_TABLES = """\
---
title: "Prices, 20 November 2026"
date: 2026-11-20T08:30:00+08:00
language: en
---

1. [One that a phone holds](https://prices.example/small)

   | Name | Price |
   |------|-------|
   | A    | 3     |

2. [One for wider screens](https://prices.example/wide)

   | Model  | Context window       | Input     | Output     | License     | Released   |
   |--------|----------------------|-----------|------------|-------------|------------|
   | Sonnet | two hundred thousand | 3 dollars | 15 dollars | proprietary | 2026-11-20 |
   | Llama  | `128_000` tokens     | free      | free       | community   | 2026-10-02 |

3. [One that nothing holds](https://prices.example/vast)

   | COUNTERREVOLUTIONARIES | Telecommunications | Internationalization | Where              |
   |------------------------|--------------------|----------------------|--------------------|
   | uncharacteristically   | disproportionately | incomprehensibility  | `/a/very/long/p`   |
"""

_PUBLISHER = Publisher("AI 资讯速递", "北京市海淀区中关村大街 1 号")
_ABROAD = Publisher("Open Data Daily", "1 Sample Street, Springfield")


def pages() -> dict[str, str]:
    """HTML emails by the name of their edition, as a reader gets them."""
    return {
        "chinese": _page(sample_digest().read_bytes(), _PUBLISHER),
        "english": _page(_ENGLISH.encode(), _ABROAD),
        "arabic": _page(_ARABIC.encode(), _ABROAD),
    }


def difficult_pages() -> dict[str, str]:
    """As `pages`, of editions that are hard to show."""
    return {"tables": _page(_TABLES.encode(), _ABROAD), "long": _page(_long(), _PUBLISHER)}


def _long() -> bytes:
    """An edition of which the HTML has the first stories whole and of the others the titles."""
    stories = (
        f"{number}. [第 {number} 条：查询速度提升三成](https://news.example/2026/11/20/{number})\n\n"
        f"   {'正文很长，查询更快，文件更小。' * 12}\n"
        for number in range(1, 201)
    )
    return "\n".join(['---\ntitle: "很长的一期"\n---\n\n今天的消息很多。\n', *stories]).encode()


def _page(source: bytes, publisher: Publisher) -> str:
    digest = reader.read(source, "edition.md")
    language = digest.language if "language: ar" not in source.decode() else "ar"
    edition = Edition(
        replace(digest, language=language),
        "https://news.example.org/editions/20261120",
        publisher,
        Templates(),
    )
    payload = render(edition).parts[0].payload
    recipient = Recipient(
        "reader@example.net", "1", unsubscribe_url="https://news.example.org/unsubscribe/1"
    )
    return Personal.of_html(payload["html"], Marks(payload["key"])).fill(recipient)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (folder / f"email-{name}.html").write_text(page, encoding="utf-8")
