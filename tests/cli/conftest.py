"""The program in this process, for commands that start no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from distributor.cli.main import main
from distributor.ledger.database import Ledger
from distributor.templating import shipped
from tests.support.service import Service, edition, service


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Program:
    """Runs commands in the test's folder, with the settings that the test gives it."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def set(self, **environ: str) -> None:
        """Set variables for the commands that follow; their names without the prefix."""
        for name, value in environ.items():
            self._patch.setenv(f"DISTRIBUTOR_{name}", value)

    def unset(self, *names: str) -> None:
        for name in names:
            self._patch.delenv(f"DISTRIBUTOR_{name}")

    def __call__(self, *words: object) -> Done:
        self._patch.setattr(sys, "argv", ["distributor", *map(str, words)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, said.out, said.err)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An edition that may go out; its name has a space and is Chinese."""
    path = tmp_path / "今日 新闻.md"
    path.write_text(edition(), encoding="utf-8")
    return path


@pytest.fixture
def program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Program:
    """The program on a machine where it has never run, with the shipped configuration."""
    made = Program(capsys, monkeypatch)
    # In the environment before, so that what --config writes there goes away with the test.
    made.set(CONFIG=str(shipped("config") / "distributor.toml"), STORAGE_VAR=str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def shop(tmp_path: Path, sqlite_ledger: Ledger, program: Program) -> Iterator[Service]:
    """A service with readers on three channels, which `program` works on too."""
    with service(tmp_path, sqlite_ledger) as running:
        running.subscribe("email", "reader@news.dev")
        running.subscribe("telegram", "@a_channel")
        running.subscribe("wechat", "7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601")
        program.set(DATABASE_URL=str(sqlite_ledger.engine.url))
        for variable, value in running.platforms.environment.items():
            program.set(**{variable.removeprefix("DISTRIBUTOR_"): value})
        yield running
