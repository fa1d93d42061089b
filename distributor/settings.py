"""All settings: one TOML file, overridden by environment variables, checked before anything runs.

`DISTRIBUTOR_<SECTION>_<KEY>` overrides `key` in `[section]`; `DISTRIBUTOR_ACCOUNTS_<NAME>_<KEY>`
overrides `key` of the account `[accounts.<name>]` (dashes become underscores). Secrets are never
read from the TOML: they come from their variable, from the file that the variable with `_FILE`
appended names, or from the file that `<key>_file` names in the TOML.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializeAsAny,
    ValidationError,
)
from pydantic.fields import FieldInfo

from channels import registry
from channels.base import Account, Publisher
from distributor.templating import Templates, shipped

_PREFIX = "DISTRIBUTOR_"
#: Variables that are not settings themselves.
_OTHER_VARIABLES = {"DISTRIBUTOR_CONFIG"}
_SHORTEST_SECRET = 16
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """Settings that cannot be used: one line a problem, naming key, value and what is wanted."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublisherSettings(_Section):
    name: str = Field(default="AI 资讯速递", min_length=1)
    postal_address: str = ""


def _address(*schemes: str, example: str) -> AfterValidator:
    """Refuses what is no URL of these schemes; its text never repeats the password in it."""

    def check(secret: SecretStr) -> SecretStr:
        url = secret.get_secret_value()
        if url and not _is_url(url, schemes):
            raise ValueError(f"wants an address like {example}")
        return secret

    return AfterValidator(check)


def _is_url(url: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return False
    return parts.scheme in schemes and url.startswith(f"{parts.scheme}://")


class DatabaseSettings(_Section):
    #: Empty: SQLite in the storage folder. Secret since it may hold a password.
    url: Annotated[
        SecretStr,
        _address(
            "postgresql",
            "postgresql+psycopg",
            "sqlite",
            example="postgresql://user:password@host:5432/name or sqlite:////path/to/ledger.db",
        ),
    ] = SecretStr("")


class RedisSettings(_Section):
    #: Empty: an embedded server on a private socket. Secret since it may hold a password.
    url: Annotated[
        SecretStr, _address("redis", "rediss", example="redis://:password@host:6379/0")
    ] = SecretStr("")


class StorageSettings(_Section):
    #: Folder for everything the program writes, relative to the working directory.
    var: Path = Path("var")
    #: Folder whose templates win over the shipped ones of the same path.
    templates: Path | None = None


def _long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < _SHORTEST_SECRET:
        raise ValueError(f"wants at least {_SHORTEST_SECRET} characters")
    return secret


def _web_address(url: str) -> str:
    if url and not (_is_url(url, ("http", "https")) and urlsplit(url).hostname):
        raise ValueError("wants an address like https://news.example.org")
    return url


class WebSettings(_Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    #: Address under which readers reach the web pages; empty: where `web` listens.
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    #: Signs unsubscribe links. Empty: a key made once in the storage folder.
    secret: Annotated[SecretStr, AfterValidator(_long_enough)] = SecretStr("")
    #: Whether /metrics is served; None: only where `host` is this machine alone.
    metrics: bool | None = None

    @property
    def serves_metrics(self) -> bool:
        return self.host in _THIS_MACHINE if self.metrics is None else self.metrics


class SendingSettings(_Section):
    #: Deliveries that one worker claims at a time.
    batch_size: int = Field(default=50, ge=1, le=500)
    #: Threads of one worker process that deliver at the same time.
    lanes: int = Field(default=4, ge=1, le=64)
    #: How long a claimed batch stays with a worker that no longer renews it.
    lease_seconds: float = Field(default=60, ge=5, le=600)
    #: How often due, orphaned and finished work is looked for.
    sweep_seconds: float = Field(default=2, ge=0.2, le=60)
    #: What is left of a send after this long ends as failed with the code `expired`.
    deadline_hours: float = Field(default=20, gt=0)


class LogSettings(_Section):
    """Of the programs that keep running."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    #: Whether subscribers' addresses may stand in the log.
    addresses: bool = False


class RetentionSettings(_Section):
    #: Days that the delivery log of a send is kept after its end; 0: for ever.
    attempts_days: float = Field(default=0, ge=0)


class SandboxSettings(_Section):
    #: Whether `up` and `demo` start the stand-ins for the platforms.
    enabled: bool = True
    host: str = "127.0.0.1"
    smtp_port: int = Field(default=8026, ge=0, le=65535)
    http_port: int = Field(default=8025, ge=0, le=65535)


class Settings(_Section):
    """Everything that can be set. Built by `load`, never changed afterwards."""

    publisher: PublisherSettings = PublisherSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    storage: StorageSettings = StorageSettings()
    web: WebSettings = WebSettings()
    sending: SendingSettings = SendingSettings()
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    sandbox: SandboxSettings = SandboxSettings()
    accounts: dict[str, SerializeAsAny[Account]] = Field(default_factory=dict)

    @property
    def var(self) -> Path:
        return self.storage.var.absolute()

    @property
    def is_embedded_ledger(self) -> bool:
        return not self.database.url.get_secret_value()

    @property
    def is_embedded_redis(self) -> bool:
        return not self.redis.url.get_secret_value()

    @property
    def ledger_url(self) -> str:
        return self.database.url.get_secret_value() or f"sqlite:///{self.var / 'ledger.db'}"

    @property
    def public_url(self) -> str:
        """Where readers reach the web pages, with no slash at the end."""
        return self.web.public_url.rstrip("/") or f"http://{self.web.host}:{self.web.port}"

    def account_for(self, channel: str) -> Account | None:
        """The account that serves `channel`: the first one configured."""
        return next((a for a in self.accounts.values() if a.channel == channel), None)

    def publisher_card(self) -> Publisher:
        return Publisher(self.publisher.name, self.publisher.postal_address)

    def template_source(self) -> Templates:
        return Templates(self.storage.templates)

    def signing_secret(self) -> str:
        """The key that signs links; made and kept in the storage folder when none is set."""
        configured = self.web.secret.get_secret_value()
        return configured or _kept_secret(self.var / "signing.key")


def load(config: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `config`, or `DISTRIBUTOR_CONFIG`, or `config/distributor.toml` in
    the working directory, or the shipped defaults; then apply the environment.

    Raises `SettingsError`.
    """
    environ = os.environ if environ is None else environ
    path = _config_path(config, environ)
    raw = _read_toml(path)
    problems = [*_unfit_sections(raw), *_unfit_accounts(raw)]
    if problems:
        raise SettingsError("\n".join(f"{problem} ({path})" for problem in problems))
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
        if section == "accounts":
            continue
        for key, option in _fields(field.annotation):
            yield _Option((section, key), _is_secret(option))
    for name, account in raw.get("accounts", {}).items():
        for key, option in _fields(registry.get(account["channel"]).account_type):
            if key not in ("name", "channel"):
                yield _Option(("accounts", name, key), _is_secret(option))


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
            problems.append(f"{variable}: there is no such setting; see config/distributor.toml")
    return problems


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
    try:
        settings = Settings(**raw, accounts=accounts)
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
            case "value_error":
                text = wants
            case "int_parsing" | "float_parsing" | "bool_parsing":
                text = f"wants {wants.partition(',')[0]}"
            case "string_pattern_mismatch":
                text = f"wants text that matches {problem['ctx']['pattern']}"
            case _:
                text = f"wants {wants}"
        # The input of a whole table holds its secrets too: only a known plain option is shown.
        if option is not None and not option.is_secret and problem["type"] != "missing":
            text = f"got {problem['input']!r}, {text}"
        yield f"{'.'.join(path)}: {text} ({sources.of(path)})"


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32), encoding="ascii")
        # Linking fails when another process was first: then both use that one's key.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
