"""The email as others see it: caniemail, html-validate, axe-core, SpamAssassin."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from channels.email.assemble import Assembler
from channels.email.render import render
from tests.channels.email.conftest import account_for, chinese_digest, edition_of, reader
from tests.mailcheck import editions

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
TOOLS = ("html-validate", "caniemail", "axe")
#: SpamAssassin calls 5 and more spam.
MOST_POINTS = 1.0

#: By edition, then by tool: `problems` in words and what was `excused`, by name.
Judgements: TypeAlias = Mapping[str, Mapping[str, Mapping[str, list[str]]]]


@pytest.fixture(scope="session")
def judgements(tmp_path_factory: pytest.TempPathFactory) -> Judgements:
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        pytest.skip("Node and the tools are not installed; make mailcheck")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("Chromium is not installed; apt-get install chromium fonts-noto-cjk")
    folder = tmp_path_factory.mktemp("emails")
    for name, page in {**editions.pages(), **editions.difficult_pages()}.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    files = sorted(map(str, folder.glob("*.html")))
    told = subprocess.run(
        ["node", "check.mjs", *files], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in told.stdout.splitlines()]
    return {Path(line["file"]).stem: line["tools"] for line in lines}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("edition", ["chinese", "english", "arabic", "tables", "long"])
def test_no_tool_has_anything_against_it(judgements: Judgements, edition: str, tool: str) -> None:
    assert judgements[edition][tool]["problems"] == []


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_allowed_that_does_not_occur(judgements: Judgements, tool: str) -> None:
    allowed = json.loads((HERE / "allowed.json").read_text(encoding="utf-8"))[tool]
    excused = {name for tools in judgements.values() for name in tools[tool]["excused"]}

    assert excused == set(allowed)
    assert all(len(reason) > 20 for reason in allowed.values())


def test_spamassassin_finds_next_to_nothing(tmp_path: Path) -> None:
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("SpamAssassin is not installed; apt-get install spamassassin")
    account = account_for(envelope_from="bounces@news.example.org", from_name="开源日报")
    payload = render(edition_of(chinese_digest(12))).parts[0].payload
    message = Assembler(account).assemble(payload, reader(), datetime.now(UTC))

    told = subprocess.run(
        [program, "-L", "-t"],
        input=message.content.replace(b"\r\n", b"\n"),
        capture_output=True,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    ).stdout.decode("utf-8", "replace")

    points = re.search(r"X-Spam-Status: .*?score=(-?[0-9.]+)", told)
    assert points, told[:2000]
    assert float(points[1]) < MOST_POINTS, told[-3000:]
