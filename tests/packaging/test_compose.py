"""docker-compose.yml and the Dockerfile, as far as they can be judged without an engine."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from compose_spec import PyCompose

from channels import registry
from distributor import settings
from distributor.cli.main import app
from distributor.engine.hints import CONTROL_QUEUE
from distributor.ledger.database import Ledger
from distributor.operations.roster import Roster
from distributor.web.health import Health
from tests.packaging.checkout import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
WORKERS = {name: service for name, service in OURS.items() if name.startswith("worker-")}

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_of_ours = pytest.mark.parametrize("service", OURS.values(), ids=OURS)
each_worker = pytest.mark.parametrize("service", WORKERS.values(), ids=WORKERS)


def program_arguments(service: dict[str, Any]) -> Iterator[list[str]]:
    """What `distributor` is called with: by the service itself and by its health check."""
    yield service["command"]
    _, *check = service["healthcheck"]["test"]
    if check[0] == "distributor":
        yield check[1:]


def assert_is_a_command(arguments: list[str]) -> None:
    group = typer.main.get_command(app)
    context = group.make_context("distributor", [*arguments], ignore_unknown_options=False)
    name, *options = arguments
    command = group.get_command(context, name)  # type: ignore[attr-defined]
    assert command is not None, f"distributor {name}: there is no such command"
    command.make_context(name, options, parent=context)


def instructions(keyword: str) -> list[str]:
    return re.findall(rf"^{keyword} +(.+)$", DOCKERFILE, re.MULTILINE)


def test_it_follows_the_compose_specification() -> None:
    assert set(PyCompose.from_json(json.dumps(COMPOSE)).service_names()) == set(SERVICES)


def test_the_specification_is_enforced_by_this_test() -> None:
    broken = {"services": {"web": {"image": "x", "helthcheck": {}}}}
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_json(json.dumps(broken))


def test_there_is_a_worker_for_every_queue() -> None:
    queues = [service["command"][2] for service in WORKERS.values()]
    assert sorted(queues) == sorted([CONTROL_QUEUE, *registry.names()])


@each_of_ours
def test_every_command_exists(service: dict[str, Any]) -> None:
    for arguments in program_arguments(service):
        assert_is_a_command(arguments)


@each_of_ours
def test_every_variable_is_a_setting(service: dict[str, Any], tmp_path: Path) -> None:
    environ = {}
    for variable, value in service["environment"].items():
        environ[variable] = str(value)
        if variable.endswith("_FILE"):
            assert Path(value).parent == Path("/run/secrets")
            assert Path(value).name in service["secrets"]
            environ[variable] = str(tmp_path / variable)
            (tmp_path / variable).write_text("postgresql+psycopg://a-long-enough-secret/x")

    loaded = settings.load(ROOT / "config" / "production.example.toml", environ)

    assert not loaded.is_embedded_ledger
    assert not loaded.is_embedded_redis


@each_of_ours
def test_the_configuration_is_mounted_where_it_is_looked_for(service: dict[str, Any]) -> None:
    mounts = {target: source for source, target, *_ in (m.split(":") for m in service["volumes"])}
    source = Path(mounts[service["environment"]["DISTRIBUTOR_CONFIG"]])
    assert (ROOT / source).with_suffix(".example.toml").is_file()


@each_service
def test_every_service_is_checked_restarted_and_given_time_to_end(service: dict[str, Any]) -> None:
    assert service.keys() >= {"healthcheck", "restart", "stop_grace_period"}


@each_worker
def test_workers_can_be_scaled(service: dict[str, Any]) -> None:
    assert service.keys().isdisjoint({"container_name", "hostname", "ports"})


@pytest.mark.parametrize("kind", ["networks", "secrets"])
def test_what_services_refer_to_is_declared_and_nothing_else(kind: str) -> None:
    used = {name for service in SERVICES.values() for name in service.get(kind, ())}
    assert used == set(COMPOSE[kind])


def test_named_volumes_are_declared_and_used() -> None:
    sources = (mount.split(":")[0] for s in SERVICES.values() for mount in s["volumes"])
    assert {source for source in sources if "/" not in source} == set(COMPOSE["volumes"])


def test_secrets_and_the_configuration_stay_out_of_git_and_of_the_image() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/secrets/", "/config/production.toml"} <= set(ignored)
    let_through = (ROOT / ".dockerignore").read_text()
    assert all(
        Path(secret["file"]).parent == Path("secrets") for secret in COMPOSE["secrets"].values()
    )
    assert "!secrets" not in let_through
    assert "!config/production.toml" not in let_through


def test_only_the_web_server_is_published_and_only_to_this_host() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_database_and_broker_are_not_reached_from_outside() -> None:
    assert COMPOSE["networks"]["inside"]["internal"]
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["inside"]


@each_of_ours
def test_the_program_runs_without_rights(service: dict[str, Any]) -> None:
    assert service["user"] == instructions("USER")[-1]
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_the_web_server_is_asked_for_a_page_that_exists(tmp_path: Path) -> None:
    health = Health(Ledger(f"sqlite:///{tmp_path}/ledger.db"), lambda: Roster(redis_answers=False))
    paths = {route.path for route in health.routes}
    asked = re.findall(r"http://127\.0\.0\.1:8080(/\w+)", DOCKERFILE + str(SERVICES["web"]))
    assert len(asked) == 2
    assert set(asked) <= paths


def test_what_the_image_runs_by_default_is_a_command() -> None:
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["distributor"]
    assert_is_a_command(json.loads(instructions("CMD")[-1]))


def test_what_the_image_is_built_from_exists_and_reaches_the_engine() -> None:
    let_through = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    copied = [
        source
        for arguments in instructions("COPY")
        if not arguments.startswith("--from")
        for source in shlex.split(arguments)[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(f"{path}/".startswith(f"{source}/") for path in let_through), source


def test_packages_are_installed_from_the_locks_only() -> None:
    installs = re.findall(r"pip (?:--python \S+ +)?install +([^&\n]+)", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)


def test_the_final_image_gets_nothing_but_the_finished_environment() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^COPY (.+)$", final, re.MULTILINE) == [
        "--from=build /opt/distributor /opt/distributor"
    ]
    assert "pip install" not in final
