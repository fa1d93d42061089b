"""The locks fit pyproject.toml and each other, and can be trusted."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.checkout import ROOT, run

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


def test_the_program_imports_nothing_that_is_not_in_the_runtime_lock() -> None:
    """What only the tools of development bring along is missing where the wheel is installed."""
    done = run(sys.executable, "-c", _IMPORT_EVERYTHING, *versions("runtime"))
    assert done.returncode == 0, done.stderr


#: Imports all modules of the program and of a Celery worker over Redis, where nothing else can be
#: imported but the distributions that are named as arguments.
_IMPORT_EVERYTHING = """
import importlib, importlib.metadata, pkgutil, re, sys
allowed = {*sys.argv[1:], "digest-distributor"}
owners = importlib.metadata.packages_distributions()
canonical = lambda name: re.sub(r"[-_.]+", "-", name).lower()

class Only:
    def find_spec(self, name, path=None, target=None):
        owned_by = {canonical(owner) for owner in owners.get(name.partition(".")[0], [])}
        if owned_by and not owned_by & allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Only())
import channels, distributor
for package in (distributor, channels):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
import celery.apps.worker, celery.apps.beat, celery.concurrency.thread, kombu.transport.redis
"""
