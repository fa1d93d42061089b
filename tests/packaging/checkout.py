"""The checkout that these tests look at, and running programs in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end, with its output as text."""
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=clean_environment() if env is None else env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def clean_environment(
    without: Sequence[str] = ("MAKE", "PYTHON", "DISTRIBUTOR_"),
) -> dict[str, str]:
    """The environment without what would lead a program away from what the test gives it."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(tuple(without))
    }
