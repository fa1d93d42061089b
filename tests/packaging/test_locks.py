"""The locks fit pyproject.toml and each other, and can be trusted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.checkout import ROOT

LOCKS = ("build", "runtime", "dev")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def entries(name: str) -> list[str]:
    """One line for each requirement of a lock, its hashes included."""
    joined = lock(name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def versions(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in entries(name):
        requirement = Requirement(entry.partition(" --hash")[0])
        pins = [specifier.version for specifier in requirement.specifier]
        found.setdefault(canonicalize_name(requirement.name), set()).update(pins)
    return found


def wanted(name: str) -> list[Requirement]:
    groups = PYPROJECT["dependency-groups"]
    lines = {
        "build": groups["build"],
        "runtime": PYPROJECT["project"]["dependencies"],
        "dev": [line for line in groups["dev"] if isinstance(line, str)],
    }
    return [Requirement(line) for line in lines[name]]


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    assert [e for e in entries(name) if not re.match(r"\S+==\S+ .*--hash=sha256:", e)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_satisfies_what_the_project_asks_for(name: str) -> None:
    locked = versions(name)
    unmet = [
        str(requirement)
        for requirement in wanted(name)
        if not any(map(requirement.specifier.contains, locked[canonicalize_name(requirement.name)]))
    ]
    assert unmet == []


@pytest.mark.parametrize("name", ["build", "runtime"])
def test_the_tests_run_with_the_versions_that_users_get(name: str) -> None:
    development = versions("dev")
    assert {package: development[package] for package in versions(name)} == versions(name)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_leaves_the_choice_of_registry_to_the_machine(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url", lock(name).read_text(encoding="utf-8"))
