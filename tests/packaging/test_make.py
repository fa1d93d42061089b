"""`make` explains itself, chooses a Python that works, and says in one line when there is none."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.packaging.checkout import ROOT, clean_environment, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder to put programs into, for a PATH with nothing else but the shell's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def choose_python(path: Path, python: str = "") -> CompletedProcess[str]:
    env = {**clean_environment(), "PATH": str(path), "PYTHON": python}
    return run("/bin/sh", "scripts/python", env=env)


def test_make_alone_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    listed = set(re.findall(r"^  make (\S+) +\S", run("make").stdout, re.MULTILINE))
    assert listed == targets


def test_a_shim_without_a_python_behind_it_is_passed_over(path: Path) -> None:
    put(path, "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    put(path, "python3.12", f'exec "{sys.executable}" "$@"')
    assert choose_python(path).stdout.strip() == sys.executable


def test_a_python_that_is_too_old_is_passed_over(path: Path) -> None:
    put(path, "python3", "exit 1")
    done = choose_python(path)
    assert done.returncode == 1
    assert done.stdout == ""


def test_without_a_python_one_line_says_what_to_do(path: Path) -> None:
    done = choose_python(path)
    assert done.returncode == 1
    assert re.fullmatch(r"error: no Python 3\.11 to 3\.13 .*\n", done.stderr)


def test_a_named_python_that_does_not_run_is_told_by_its_name(path: Path) -> None:
    put(path, "python3", f'exec "{sys.executable}" "$@"')
    done = choose_python(path, python="/nowhere/python3")
    assert done.returncode == 1
    assert re.fullmatch(r"error: /nowhere/python3 does not run.*\n", done.stderr)


def test_nothing_is_made_without_a_python(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    done = run("make", "install", f"VENV={venv}", "PYTHON=/nowhere/python3")
    assert done.returncode != 0
    assert not venv.exists()
