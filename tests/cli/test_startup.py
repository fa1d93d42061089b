"""What a person waits for before a command does anything: only what it needs is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Libraries that each take longer to load than a short command takes to run.
HEAVY = {
    *("PIL", "alembic", "bs4", "celery", "feedparser", "premailer", "redis", "requests"),
    *("tdjson", "telegram", "watchfiles"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", [["--help"], ["status"], ["lists", "show"]])
def test_a_short_command_loads_no_heavy_library(tmp_path: Path, command: list[str]) -> None:
    environ = {**os.environ, "DISTRIBUTOR_STORAGE_VAR": str(tmp_path)}
    program = [sys.executable, "-X", "importtime", "-m", "distributor", *command]
    # The first run makes the ledger, for which Alembic is needed.
    for _ in range(2):
        done = subprocess.run(program, env=environ, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "distributor.cli.main" in loaded
    assert not loaded & HEAVY
