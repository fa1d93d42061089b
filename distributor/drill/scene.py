"""The scene of a drill: a folder with settings, an edition and an audience of its own."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from distributor.audience import lists, transfer
from distributor.audience.files import Format
from distributor.drill import platforms
from distributor.drill.fleet import WORKERS
from distributor.drill.platforms import PLATFORMS, Platforms
from distributor.drill.reconcile import Terms
from distributor.engine.context import Context
from distributor.settings import Settings, load
from distributor.templating import shipped

LIST = "drill"
LANES = 4
_HOST = "127.0.0.1"
#: One recipient in so many is refused for good.
_REFUSED_ONE_IN = 60
#: Share of the audience; the rest is email.
_SHARES = {"telegram": 0.1, "wechat": 0.05}
#: The edition's messages to one recipient: two where the platform limits their size.
_PARTS = {"email": 1, "telegram": 2, "wechat": 3}
#: Slow enough that every kill finds messages in flight, whatever the speed of the machine.
_SECONDS_PER_KILL = 1.5
_SLOWEST_ANSWER = 1.0
_STORIES = 10
_REFUSALS: Mapping[str, Mapping[str, object]] = {
    "email": {"code": 550, "text": "5.1.1 no such user here", "stage": "rcpt"},
    "telegram": {"code": 403, "text": "Forbidden: bot was blocked by the user"},
    "wechat": {"code": 93000, "text": "invalid webhook url"},
}

_CONFIG = """
[publisher]
name = "Drill"
postal_address = "1 Drill Square"

[storage]
var = {var}

[web]
port = {web_port}

[sending]
batch_size = {batch_size}
lanes = {lanes}
sweep_seconds = 0.5

[sandbox]
http_port = {http_port}
smtp_port = {smtp_port}

[accounts.relay]
channel = "email"
host = "{host}"
port = {smtp_port}
security = "none"
from_address = "digest@drill.example"
on_unknown = "resend"
retry_base_seconds = 0.5
retry_cap_seconds = 5

[accounts.bot]
channel = "telegram"
base_url = "http://{host}:{http_port}/bot"
token_file = {token_file}
retry_base_seconds = 0.5
retry_cap_seconds = 5

[accounts.robot]
channel = "wechat"
base_url = "http://{host}:{http_port}"
retry_base_seconds = 0.5
retry_cap_seconds = 5
"""


@dataclass(frozen=True, slots=True)
class Scene:
    folder: Path
    settings: Settings
    terms: Terms
    #: Seconds that each platform takes to answer, by channel.
    pace: Mapping[str, float]

    @property
    def edition(self) -> Path:
        return self.folder / "edition.md"

    def platforms(self) -> Platforms:
        sandbox = self.settings.sandbox
        return Platforms(f"http://{sandbox.host}:{sandbox.http_port}")

    def gather_audience(self, context: Context) -> None:
        """Put everybody on the list."""
        rows = ["channel,address"]
        for channel, addresses in self.terms.audience.items():
            rows += [f"{channel},{address}" for address in addresses]
        with context.ledger.write() as connection:
            lists.create(connection, LIST)
        table = BytesIO("\n".join(rows).encode())
        transfer.import_file(context.ledger, table, Format.CSV, list_names=[LIST])

    def set_the_platforms(self) -> None:
        """Tell them whom to refuse for good, and how long to think about everybody else."""
        told = self.platforms()
        for channel, address in self.terms.refused:
            told.misbehave(channel, address, kind="reject", **_REFUSALS[channel])
        for channel, seconds in self.pace.items():
            stage = {"stage": "data"} if channel == "email" else {}
            told.misbehave(channel, "*", kind="slow", seconds=seconds, **stage)


@contextmanager
def prepared(folder: Path, *, recipients: int, kills: int, database: str) -> Iterator[Scene]:
    """A scene in `folder`, whose settings the programs started meanwhile have too."""
    audience = _audience(recipients)
    config = folder / "drill.toml"
    config.write_text(_config(folder, recipients), encoding="utf-8")
    (folder / "edition.md").write_text(_edition(), encoding="utf-8")
    with _environment(config, folder / "var", database):
        settings = load()
        resending = [a.channel for a in settings.accounts.values() if a.on_unknown == "resend"]
        refused = frozenset(
            (channel, address)
            for channel, addresses in audience.items()
            for address in addresses[_REFUSED_ONE_IN // 2 :: _REFUSED_ONE_IN]
        )
        terms = Terms(audience, _PARTS, refused, resending)
        yield Scene(folder, settings, terms, _pace(audience, kills))


def _audience(recipients: int) -> Mapping[str, Sequence[str]]:
    numbers = {channel: max(1, round(recipients * part)) for channel, part in _SHARES.items()}
    numbers["email"] = recipients - sum(numbers.values())
    return {
        channel: [platforms.address(channel, number) for number in range(numbers[channel])]
        for channel in PLATFORMS
    }


def _pace(audience: Mapping[str, Sequence[str]], kills: int) -> Mapping[str, float]:
    lanes = {channel: LANES * list(WORKERS.values()).count(channel) for channel in audience}
    return {
        channel: min(
            _SLOWEST_ANSWER,
            kills * _SECONDS_PER_KILL * lanes[channel] / (len(addresses) * _PARTS[channel]),
        )
        for channel, addresses in audience.items()
    }


def _config(folder: Path, recipients: int) -> str:
    web_port, http_port, smtp_port = _free_ports(3)
    return _CONFIG.format(
        var=json.dumps(str(folder / "var")),
        token_file=json.dumps(str(shipped("config") / "sandbox-telegram.token")),
        batch_size=min(50, max(5, recipients // 40)),
        lanes=LANES,
        host=_HOST,
        web_port=web_port,
        http_port=http_port,
        smtp_port=smtp_port,
    )


@contextmanager
def _environment(config: Path, var: Path, database: str) -> Iterator[None]:
    """Only the drill's own settings, for this process and those that it starts."""
    before = {name: value for name, value in os.environ.items() if name.startswith("DISTRIBUTOR_")}
    own = {"DISTRIBUTOR_CONFIG": str(config), "DISTRIBUTOR_STORAGE_VAR": str(var)}
    if database:
        own["DISTRIBUTOR_DATABASE_URL"] = database
    for name in before:
        del os.environ[name]
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)
        os.environ.update(before)


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server((_HOST, 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _edition() -> str:
    words = "这一条写得足够长，好让这一期超出一条消息的长度，从而每个平台都要分成几条发送。"
    stories = "\n".join(
        f"{number}. [第 {number} 件事：演练](https://www.sqlite.org/drill/{number})\n\n"
        f"   {f'第 {number} 条。' + words * 14}\n"
        for number in range(1, _STORIES + 1)
    )
    head = 'title: "2026.03.02 演练"\ndate: 2026-03-02T08:00:00+08:00'
    return f"---\n{head}\n---\n\n{stories}"
