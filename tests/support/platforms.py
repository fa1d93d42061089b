"""The sandbox in this process, seen as its control API shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from distributor.sandbox.server import SandboxConfig, SandboxHandle, running

_PATIENCE_SECONDS = 10


class Platforms:
    """Every platform at once: told to misbehave, and asked what it accepted."""

    def __init__(self, handle: SandboxHandle) -> None:
        self._handle = handle

    @property
    def environment(self) -> dict[str, str]:
        """The settings that lead every shipped account here."""
        smtp, base_url = str(self._handle.smtp_port), self._handle.base_url
        return {
            "DISTRIBUTOR_SANDBOX_SMTP_PORT": smtp,
            "DISTRIBUTOR_SANDBOX_HTTP_PORT": str(self._handle.http_port),
            "DISTRIBUTOR_ACCOUNTS_RELAY_PORT": smtp,
            "DISTRIBUTOR_ACCOUNTS_BOT_BASE_URL": f"{base_url}/bot",
            "DISTRIBUTOR_ACCOUNTS_ROBOT_BASE_URL": base_url,
        }

    def misbehave(self, platform: str, kind: str, **settings: object) -> None:
        """`platform`: one of `store.Platform`; the settings are those of a sandbox's fault."""
        body = {"platform": platform, "kind": kind, **settings}
        answer = requests.post(self._control("faults"), json=body, timeout=_PATIENCE_SECONDS)
        assert answer.ok, answer.text

    def behave(self) -> None:
        """Take back every fault."""
        requests.delete(self._control("faults"), timeout=_PATIENCE_SECONDS).raise_for_status()

    def forget(self) -> None:
        """Forget every accepted message and every refusal."""
        requests.delete(self._control("messages"), timeout=_PATIENCE_SECONDS).raise_for_status()

    def received(self, platform: str | None = None) -> Sequence[dict[str, Any]]:
        """Accepted messages, oldest first."""
        query = {"platform": platform} if platform else {}
        answer = requests.get(self._control("messages"), params=query, timeout=_PATIENCE_SECONDS)
        messages: list[dict[str, Any]] = answer.json()
        return messages

    def refused(self, platform: str) -> dict[str, int]:
        """How often the platform refused, by its code."""
        answer = requests.get(self._control("attempts"), timeout=_PATIENCE_SECONDS)
        counts: dict[str, int] = answer.json()[platform]["refused"]
        return counts

    def person(self, does: str, **what: object) -> None:
        """Somebody in a Telegram chat does: `say`, `press` or `admit`."""
        answer = requests.post(
            self._control(f"telegram/{does}"), json=what, timeout=_PATIENCE_SECONDS
        )
        assert answer.ok, answer.text

    def _control(self, name: str) -> str:
        return f"{self._handle.base_url}/control/{name}"


@contextmanager
def platforms(folder: Path) -> Iterator[Platforms]:
    with running(SandboxConfig(folder, smtp_port=0, http_port=0)) as handle:
        yield Platforms(handle)
