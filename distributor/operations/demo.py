"""The demo: sample subscribers, and the sandbox told to misbehave for three of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from channels.base import Account
from distributor.audience import lists, subscribers, suppressions, transfer
from distributor.audience.errors import ListExists
from distributor.audience.files import Format
from distributor.engine.context import Context
from distributor.operations.errors import OperationError
from distributor.settings import Settings
from distributor.suppression import SuppressionReason

LIST = "demo"
#: The relay refuses it for good: failed, and suppressed from then on.
GONE = "moved-away@readers.example"
#: The relay turns it down twice, then takes it: sent with the third attempt.
BUSY = "busy-mailbox@readers.example"
#: Asked never to be written to: skipped.
OPTED_OUT = "asked-us-to-stop@readers.example"

_READERS = 206
_CHATS = ("@open_source_ai", "-1001748201733", "720185614")
_ROBOTS = ("7d0f6c1e-58a3-4e0b-9a41-c2b3f1d8e601", "b92e44d7-0c36-4f5a-8f17-3ad95e7b21f4")
_SURNAMES = "林陈黄张李王吴刘蔡杨许郑谢郭洪曾邱廖赖徐周叶苏庄吕江何萧罗高"
_GIVEN = ("晓晨", "一诺", "子涵", "文博", "思远", "雨桐", "嘉宁")
_CONTROL_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class _Fault:
    match: str
    code: str
    text: str
    times: int | None = None

    def as_json(self) -> dict[str, object]:
        body: dict[str, object] = {"platform": "smtp", "match": self.match, "kind": "reject"}
        body |= {"code": self.code, "text": self.text}
        return body | ({"times": self.times} if self.times is not None else {})


_FAULTS = (
    _Fault(GONE, "550", "5.1.1 no such user here"),
    _Fault(BUSY, "450", "4.2.1 mailbox busy, try again later", times=2),
)


def sample_digest() -> Path:
    """The edition that comes with the program."""
    return Path(str(files("distributor.sandbox") / "sample" / "digest.md"))


def require_sandbox(settings: Settings) -> None:
    """Raise `OperationError` unless every account's platform is the sandbox of `settings`.

    The demo writes to invented addresses, which must not reach a real platform.
    """
    for account in settings.accounts.values():
        if not settings.sandbox.enabled or not _is_sandboxed(account, settings):
            raise OperationError(
                f"the account {account.name!r} does not lead to the sandbox, and the demo sends "
                "to invented addresses; run it with the configuration that came with the program"
            )


def gather_audience(context: Context) -> None:
    """Put the sample subscribers on the list `demo`, the same ones every time."""
    with context.ledger.write() as connection:
        try:
            lists.create(connection, LIST)
        except ListExists:
            # An earlier demo suppressed it; this one shows the refusal once more.
            suppressions.remove(connection, "email", GONE)
        suppressions.add(
            connection,
            "email",
            OPTED_OUT,
            SuppressionReason.OPERATOR,
            source="operator",
            detail="asked by telephone",
        )
        for channel, addresses in (("telegram", _CHATS), ("wechat", _ROBOTS)):
            for address in addresses:
                subscribers.add(connection, channel=channel, address=address, list_names=[LIST])
    transfer.import_file(
        context.ledger, BytesIO(_readers().encode()), Format.CSV, list_names=[LIST]
    )


def misbehave(settings: Settings) -> None:
    """Tell the sandbox what to refuse. Raises `OperationError` when it does not answer."""
    import requests

    try:
        requests.delete(_control(settings, "faults"), timeout=_CONTROL_TIMEOUT_SECONDS)
        for fault in _FAULTS:
            url, body = _control(settings, "faults"), fault.as_json()
            requests.post(url, json=body, timeout=_CONTROL_TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise OperationError(
            f"the sandbox at {_control(settings, '')} does not do as it is told: {error}"
        ) from error


def _readers() -> str:
    rows = ["channel,address,name,language"]
    rows += [f"email,{address},,zh-CN" for address in (GONE, BUSY, OPTED_OUT)]
    for number in range(_READERS):
        name = _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number // len(_SURNAMES)]
        rows.append(f"email,reader-{number + 1:03}@readers.example,{name},zh-CN")
    return "\n".join(rows) + "\n"


def _is_sandboxed(account: Account, settings: Settings) -> bool:
    options = account.model_dump()
    sandbox = settings.sandbox
    if "base_url" in options:
        origin = f"http://{sandbox.host}:{sandbox.http_port}"
        url = str(options["base_url"])
        return url == origin or url.startswith(f"{origin}/")
    return (options.get("host"), options.get("port")) == (sandbox.host, sandbox.smtp_port)


def _control(settings: Settings, path: str) -> str:
    return f"http://{settings.sandbox.host}:{settings.sandbox.http_port}/control/{path}"
