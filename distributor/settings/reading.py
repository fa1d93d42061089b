"""Reading the settings: one TOML file, overridden by environment variables.

`DISTRIBUTOR_<SECTION>_<KEY>` overrides `key` in `[section]`; `DISTRIBUTOR_ACCOUNTS_<NAME>_<KEY>`
overrides `key` of the account `[accounts.<name>]` (dashes become underscores), and
`DISTRIBUTOR_SOURCES_<NAME>_<KEY>` one of the source of that name. Secrets are never
read from the TOML: they come from their variable, from the file that the variable with `_FILE`
appended names, or from the file that `<key>_file` names in the TOML.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from channels import registry
from channels.base import Account
from distributor.settings.errors import SettingsError
from distributor.settings.model import Settings
from distributor.settings.sources import SOURCE_KINDS, SourceSettings
from distributor.templating import shipped

_PREFIX = "DISTRIBUTOR_"
#: Variables that are not settings themselves.
_OTHER_VARIABLES = {"DISTRIBUTOR_CONFIG"}


def load(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `config`, or `DISTRIBUTOR_CONFIG`, or `config/distributor.toml` in
    the working directory, or the shipped defaults; then apply the environment.

    Raises `SettingsError`.
    """
    environ = os.environ if environ is None else environ
    path = _config_path(config, environ)
    raw = _read_toml(path)
    problems = [*_unfit_sections(raw), *_unfit_accounts(raw), *_unfit_sources(raw)]
    if problems:
        raise SettingsError("\n".join(f"{problem} ({path})" for problem in problems))
    # By name, so that their keys are found as those of accounts are.
    raw["sources"] = {source["name"]: source for source in raw.get("sources", ())}
    options = {option.path: option for option in _options(raw)}
    problems += _take_secret_files(raw, options, path.parent)
    problems += _apply_environment(raw, options, environ)
    if problems:
        raise SettingsError("\n".join(problems))
    return _validate(raw, _Sources(path, options, environ))


@dataclass(frozen=True, slots=True)
class _Option:
    """One setting that exists: `("web", "port")` or `("accounts", "relay", "password")`."""

    path: tuple[str, ...]
    is_secret: bool

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        return _PREFIX + "_".join(self.path).upper().replace("-", "_")

    @property
    def where_to_set(self) -> str:
        if self.is_secret:
            return f"set {self.variable}, or {self.key}_file in the configuration"
        return f"set it in the configuration or as {self.variable}"


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where values came from, to tell the person who has to correct one."""

    config: Path
    options: Mapping[tuple[str, ...], _Option]
    environ: Mapping[str, str]

    def of(self, path: tuple[str, ...]) -> str:
        option = self.options.get(path)
        if option is not None and option.variable in self.environ:
            return option.variable
        if option is not None and f"{option.variable}_FILE" in self.environ:
            return f"{option.variable}_FILE"
        return str(self.config)


def _options(raw: Mapping[str, Any]) -> Iterator[_Option]:
    for section, field in Settings.model_fields.items():
        if section in ("accounts", "sources"):
            continue
        for key, option in _fields(field.annotation):
            yield _Option((section, key), _is_secret(option))
    for name, account in raw.get("accounts", {}).items():
        for key, option in _fields(registry.get(account["channel"]).account_type):
            if key not in ("name", "channel"):
                yield _Option(("accounts", name, key), _is_secret(option))
    for name, source in raw["sources"].items():
        for key, _ in _fields(SOURCE_KINDS[source["kind"]]):
            if key not in ("name", "kind"):
                yield _Option(("sources", name, key), is_secret=False)


def _fields(model: Any) -> Iterator[tuple[str, FieldInfo]]:
    yield from model.model_fields.items()


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _config_path(config: Path | None, environ: Mapping[str, str]) -> Path:
    named = config or (
        Path(environ["DISTRIBUTOR_CONFIG"]) if "DISTRIBUTOR_CONFIG" in environ else None
    )
    if named is not None:
        return named
    local = Path("config/distributor.toml")
    return local if local.is_file() else shipped("config") / "distributor.toml"


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the configuration {path} cannot be read: {_cause(error)}; "
            "check --config or DISTRIBUTOR_CONFIG"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the configuration {path} is not TOML: {error}") from error


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"


def _unfit_sections(raw: Mapping[str, Any]) -> Iterator[str]:
    for section in Settings.model_fields:
        if section == "sources":
            continue
        if section in raw and not isinstance(raw[section], dict):
            example = "[accounts.relay]" if section == "accounts" else f"[{section}]"
            yield f"{section}: got {type(raw[section]).__name__}, wants a table such as {example}"


def _unfit_accounts(raw: Mapping[str, Any]) -> Iterator[str]:
    accounts = raw.get("accounts", {})
    if not isinstance(accounts, dict):
        return
    names_by_variable: dict[str, str] = {}
    for name, account in accounts.items():
        channel = account.get("channel") if isinstance(account, dict) else None
        if channel not in registry.names():
            wanted = ", ".join(registry.names())
            got = "nothing" if channel is None else repr(channel)
            yield f"accounts.{name}.channel: got {got}, wants one of {wanted}"
        elif "name" in account:
            yield f"accounts.{name}.name: the name is the table's own; remove this key"
        twin = names_by_variable.setdefault(name.upper().replace("-", "_"), name)
        if twin != name:
            yield f"accounts.{name}: has the variables of accounts.{twin}; give it another name"


def _unfit_sources(raw: Mapping[str, Any]) -> Iterator[str]:
    sources = raw.get("sources", [])
    if not isinstance(sources, list):
        yield f"sources: got {type(sources).__name__}, wants tables that begin with [[sources]]"
        return
    names_by_variable: dict[str, str] = {}
    for number, source in enumerate(sources, start=1):
        name = source.get("name") if isinstance(source, dict) else None
        if not isinstance(name, str) or not name:
            yield f'sources: number {number} has no name; give it one, such as name = "blog"'
            continue
        kind = source.get("kind", "nothing")
        if not isinstance(kind, str) or kind not in SOURCE_KINDS:
            yield f"sources.{name}.kind: got {kind!r}, wants one of {', '.join(SOURCE_KINDS)}"
        variable = name.upper().replace("-", "_")
        if variable in names_by_variable:
            twin = names_by_variable[variable]
            yield f"sources.{name}: has the variables of another source, {twin}; rename it"
        names_by_variable[variable] = name


def _take_secret_files(
    raw: dict[str, Any], options: Mapping[tuple[str, ...], _Option], folder: Path
) -> list[str]:
    """Replace each `<key>_file` by the secret in that file; a secret in the TOML is a problem."""
    problems = []
    for option in options.values():
        if not option.is_secret:
            continue
        table, key = _table(raw, option.path), option.path[-1]
        if table.get(key):
            problems.append(
                f"{option.key}: secrets are not read from the configuration; {option.where_to_set}"
            )
        if file := table.pop(f"{key}_file", None):
            try:
                table[key] = (folder / str(file)).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                place = folder / str(file)
                problems.append(f"{option.key}_file: {place} cannot be read: {_cause(error)}")
    return problems


def _apply_environment(
    raw: dict[str, Any],
    options: Mapping[tuple[str, ...], _Option],
    environ: Mapping[str, str],
) -> list[str]:
    by_variable = {option.variable: option for option in options.values()}
    problems = []
    for variable, value in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or variable in _OTHER_VARIABLES:
            continue
        option = by_variable.get(variable)
        from_file = by_variable.get(variable.removesuffix("_FILE"))
        if option is not None:
            _table(raw, option.path)[option.path[-1]] = value
        elif from_file is not None and from_file.is_secret:
            try:
                secret = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{variable}: {value} cannot be read: {_cause(error)}")
            else:
                _table(raw, from_file.path)[from_file.path[-1]] = secret
        else:
            instead = _instead(variable, by_variable)
            problems.append(f"{variable}: there is no such setting; {instead}")
    return problems


def _instead(variable: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    if close := get_close_matches(variable, known, n=1, cutoff=0.8):
        return f"did you mean {close[0]}?"
    example = shipped("config") / "production.example.toml"
    return f"unset it, or find the right name in {example}"


def _table(raw: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    table = raw
    for name in path[:-1]:
        table = table.setdefault(name, {})
    return table


def _validate(raw: dict[str, Any], sources: _Sources) -> Settings:
    accounts: dict[str, Account] = {}
    problems: list[str] = []
    for name, options in raw.pop("accounts", {}).items():
        account_type = registry.get(options["channel"]).account_type
        try:
            accounts[name] = account_type(name=name, **options)
        except ValidationError as error:
            problems += _describe(error, sources, "accounts", name)
    found: list[SourceSettings] = []
    for name, options in raw.pop("sources").items():
        try:
            found.append(SOURCE_KINDS[options["kind"]].model_validate(options))
        except ValidationError as error:
            problems += _describe(error, sources, "sources", name)
    try:
        settings = Settings(**raw, accounts=accounts, sources=tuple(found))
    except ValidationError as error:
        problems += _describe(error, sources)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _describe(error: ValidationError, sources: _Sources, *prefix: str) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        path = (*prefix, *map(str, problem["loc"]))
        option = sources.options.get(path)
        wants = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        match problem["type"]:
            case "extra_forbidden":
                text = "there is no such setting"
            case "missing" if option is not None:
                text = f"missing; {option.where_to_set}"
            case "value_error" | "credentials":
                text = wants
            case "int_parsing" | "float_parsing" | "bool_parsing":
                text = f"wants {wants.partition(',')[0]}"
            case "string_pattern_mismatch":
                text = f"wants text that matches {problem['ctx']['pattern']}"
            case _:
                text = f"wants {wants}"
        # The input of a whole table holds its secrets too: only a known plain option is shown.
        is_shown = option is not None and not option.is_secret
        is_said = problem["type"] in ("missing", "credentials")
        if is_shown and not is_said and not text.startswith(repr(problem["input"])):
            text = f"got {problem['input']!r}, {text}"
        yield f"{'.'.join(path)}: {text} ({sources.of(path)})"
