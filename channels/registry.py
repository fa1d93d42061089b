"""The channels there are: every package below `channels/` that offers a `CHANNEL`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import channels
from channels.base import Channel

#: Channels of this process alone, which have no package below `channels/`.
_registered: dict[str, Channel] = {}


def register(channel: Channel) -> None:
    """Add a channel to this process, such as one that only measures."""
    _registered[channel.name] = channel
    names.cache_clear()


@cache
def names() -> tuple[str, ...]:
    """Names of all channels in alphabetical order, without loading them."""
    packages = (m.name for m in pkgutil.iter_modules(channels.__path__) if m.ispkg)
    return tuple(sorted({*packages, *_registered}))


@cache
def get(name: str) -> Channel:
    """The channel `name`. Raises `KeyError` naming the channels there are."""
    if name in _registered:
        return _registered[name]
    if name not in names():
        raise KeyError(f"no channel {name!r}; there are: {', '.join(names())}")
    channel: Channel = import_module(f"channels.{name}").CHANNEL
    return channel
