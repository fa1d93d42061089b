"""The forms in which a group can get an edition."""

from __future__ import annotations

from typing import Literal, get_args

Profile = Literal["cards", "brief", "markdown", "markdown_v2", "text", "image"]

#: All of them, the default first.
PROFILES: tuple[str, ...] = get_args(Profile)
