"""The wheel carries all that the program needs, and works where there is no checkout."""

from __future__ import annotations

import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.packaging.checkout import ROOT, run

pytestmark = pytest.mark.slow

Distributor = Callable[..., "CompletedProcess[str]"]

SAMPLE = "distributor/sandbox/sample/digest.md"


def build(kind: str, source: Path, folder: Path) -> Path:
    done = run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.iterdir()
    return archive


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(folder: str, pattern: str = "*") -> set[str]:
    paths = (ROOT / folder).rglob(pattern)
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, and the packages of this one in reach."""
    folder = tmp_path_factory.mktemp("environment")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder)
    assert made.returncode == 0, made.stderr
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    installed = run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    assert installed.returncode == 0, installed.stderr
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(packages) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture
def distributor(environment: Path, tmp_path: Path) -> Distributor:
    """The installed program, run in an empty folder."""

    def run_it(*arguments: str | Path) -> CompletedProcess[str]:
        return run(environment / "bin" / "distributor", *arguments, cwd=tmp_path)

    return run_it


def installed_folder(environment: Path) -> Path:
    (package,) = environment.glob("lib/python*/site-packages/distributor")
    return package


def test_the_wheel_carries_every_module(wheel: Path) -> None:
    modules = files_below("distributor", "*.py") | files_below("channels", "*.py")
    assert modules <= names_in(wheel)


def test_the_wheel_carries_every_template(wheel: Path) -> None:
    templates = {f"distributor/_data/{name}" for name in files_below("templates")}
    carried = {name for name in names_in(wheel) if name.startswith("distributor/_data/templates/")}
    assert carried == templates


def test_the_wheel_carries_the_shipped_configuration_and_no_other(wheel: Path) -> None:
    carried = {name for name in names_in(wheel) if name.startswith("distributor/_data/config/")}
    assert {name.rpartition("/")[2] for name in carried} == {
        "distributor.toml",
        "production.example.toml",
        "sandbox-telegram.token",
    }


@pytest.mark.parametrize("name", [SAMPLE, "distributor/py.typed", "channels/py.typed"])
def test_the_wheel_carries_the_data_of_the_packages(wheel: Path, name: str) -> None:
    assert name in names_in(wheel)


def test_the_wheel_carries_no_tests(wheel: Path) -> None:
    assert not any(name.startswith("tests/") for name in names_in(wheel))


def test_a_wheel_built_from_the_source_archive_is_the_same(wheel: Path, tmp_path: Path) -> None:
    archive = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()

    assert names_in(build("wheel", source, tmp_path / "wheel")) == names_in(wheel)


def test_the_installed_program_runs_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    python = environment / "bin" / "python"
    done = run(python, "-c", "import distributor; print(distributor.__file__)", cwd=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(environment)


def test_the_installed_program_explains_itself(distributor: Distributor) -> None:
    done = distributor("--help")
    assert done.returncode == 0, done.stderr
    assert "preview" in done.stdout


def test_the_installed_program_tells_the_version_of_the_project(distributor: Distributor) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert distributor("--version").stdout.strip() == project["version"]


def test_the_installed_program_renders_its_sample_for_every_channel(
    distributor: Distributor, environment: Path, tmp_path: Path
) -> None:
    sample = installed_folder(environment) / "sandbox" / "sample" / "digest.md"

    done = distributor("preview", sample, "--out", tmp_path / "preview")

    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "preview").iterdir()}
    assert written >= {"index.html", "email.eml", "telegram.json", "wechat-robot.json"}
