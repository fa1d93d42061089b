"""What can be told without workers, Redis and sandbox is told before any of them starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from distributor.operations.runtime import Runtime
from tests.cli.conftest import Program
from tests.support.service import Service

_HELD = "---\ntitle: Nothing but a title\n---\n"


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_runtime: Runtime) -> None:
        pytest.fail("something was started")

    monkeypatch.setattr(Runtime, "start", start)


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("nothing.md", "readers", "nothing.md does not exist"),
        ("edition.md", "nobody", "there is no list 'nobody'"),
        ("held.md", "readers", "held.md: held, no-content: "),
    ],
)
def test_a_send_that_cannot_go_out_is_told_at_once(
    shop: Service, program: Program, file: Path, name: str, to: str, words: str
) -> None:
    file.rename("edition.md")
    Path("held.md").write_text(_HELD, encoding="utf-8")

    done = program("send", name, "--list", to, "--wait")

    assert done.code == 1
    assert words in done.err


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "edition.md does not exist"), (_HELD, "edition.md: held, no-content: ")],
    ids=["missing", "held"],
)
def test_a_demo_that_cannot_go_out_is_told_at_once(
    program: Program, content: str | None, words: str
) -> None:
    if content is not None:
        Path("edition.md").write_text(content, encoding="utf-8")

    done = program("demo", "edition.md")

    assert done.code == 1
    assert words in done.err
