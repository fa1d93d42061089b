"""Where the sandbox listens and where it keeps what it got."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class SandboxError(Exception):
    """The sandbox cannot start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Settings of one sandbox process."""

    #: Messages, pictures and faults are kept here and outlive a restart.
    folder: Path
    #: Anyone who reaches this address can read and steer everything: there is no login.
    host: str = "127.0.0.1"
    #: 0 chooses a free port, for both.
    smtp_port: int = 8026
    http_port: int = 8025
    #: Whether the Bot API refuses too many messages, as the real one does.
    has_limits: bool = True
    #: Files here win over the shipped templates of the same path.
    templates_override: Path | None = None
