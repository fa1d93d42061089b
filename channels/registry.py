"""The channels there are: every package below `channels/` that offers a `CHANNEL`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import channels
from channels.base import Channel


@cache
def names() -> tuple[str, ...]:
    """Names of all channels in alphabetical order, without loading them."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(channels.__path__) if m.ispkg))


@cache
def get(name: str) -> Channel:
    """The channel `name`. Raises `KeyError` naming the channels there are."""
    if name not in names():
        raise KeyError(f"no channel {name!r}; there are: {', '.join(names())}")
    channel: Channel = import_module(f"channels.{name}").CHANNEL
    return channel
