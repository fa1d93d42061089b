"""The looks of an article, each a small file below `templates/wechat/themes`."""

from __future__ import annotations

import tomllib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.base import RenderError
from distributor.templating import Templates

_COLOUR = r"^#[0-9a-f]{6}$"


class Theme(BaseModel):
    """Colours, sizes and the few choices that a theme makes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    ink: str = Field(pattern=_COLOUR)
    muted: str = Field(pattern=_COLOUR)
    accent: str = Field(pattern=_COLOUR)
    line: str = Field(pattern=_COLOUR)
    #: Behind chips, the introduction and the commentary.
    tint: str = Field(pattern=_COLOUR)
    on_accent: str = Field(pattern=_COLOUR)
    story: Literal["boxed", "ruled"]
    number: Literal["plain", "badge", "large"]
    chip: Literal["outlined", "filled"]
    #: Pixels.
    text_size: int = Field(ge=14, le=18)
    title_size: int = Field(ge=15, le=24)


def load(name: str, templates: Templates) -> Theme:
    """The theme `name`. Raises `RenderError` when there is none or it cannot be used."""
    path = f"wechat/themes/{name}.toml"
    try:
        return Theme.model_validate(tomllib.loads(templates.read_bytes(path).decode()))
    except FileNotFoundError as error:
        raise RenderError(
            f"There is no theme {name!r}: {error}. Check the account's theme."
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RenderError(f"The theme templates/{path} cannot be read: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RenderError(f"The theme templates/{path}: {key}: {first['msg']}.") from None
