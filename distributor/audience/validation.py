"""What the audience may hold: the rules for names, addresses and attributes, in one place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from channels import registry
from channels.base import AddressError, Channel
from channels.optional import ReadsAttributes
from distributor.audience.errors import InvalidName, InvalidSubscriber

#: Columns of their own in a file; no attribute can have these names.
FIELDS = ("channel", "address", "name", "language", "account", "variant")

_LIST_NAME_LIMIT = 200
_ACCOUNT_LIMIT = 64
_ADDRESS_LIMIT = 512
_NAME_LIMIT = 200
_ATTRIBUTE_NAME_LIMIT = 64
_ATTRIBUTE_LIMIT = 2000
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber as it may be written: the address canonical, the rest checked."""

    channel: str
    address: str
    name: str
    language: str
    attributes: Mapping[str, str]
    account: str = ""
    variant: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes a subscriber one: the channel and the address."""
        return (self.channel, self.address)


def list_name(text: str) -> str:
    """`text` as a list's name: NFC, without surrounding space. Raises `InvalidName`."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= _LIST_NAME_LIMIT or not name.isprintable():
        raise InvalidName(
            f"{_shortened(text)} cannot name a list; "
            f"use 1 to {_LIST_NAME_LIMIT} printable characters on one line"
        )
    return name


def canonical_address(channel: str, text: str) -> str:
    """`text` in the channel's one canonical form. Raises `InvalidSubscriber`."""
    try:
        address = known_channel(channel).parse_address(text)
    except AddressError as error:
        raise InvalidSubscriber(str(error)) from error
    if len(address) > _ADDRESS_LIMIT:
        raise InvalidSubscriber(
            f"an address of {len(address)} characters is too long; {_ADDRESS_LIMIT} is the limit"
        )
    return address


def known_channel(name: str) -> Channel:
    """The channel `name`. Raises `InvalidSubscriber` naming the channels there are."""
    if name not in registry.names():
        known = ", ".join(registry.names())
        raise InvalidSubscriber(f"there is no channel {_shortened(name)}; use one of: {known}")
    return registry.get(name)


def new_subscriber(
    channel: str,
    address: str,
    name: str = "",
    language: str = "",
    attributes: Mapping[str, str] = MappingProxyType({}),
    *,
    account: str = "",
    variant: str = "",
) -> NewSubscriber:
    """The subscriber that these words describe. Raises `InvalidSubscriber`."""
    return NewSubscriber(
        channel=channel,
        address=canonical_address(channel, address),
        name=_line("name", name, _NAME_LIMIT),
        language=_language(language),
        attributes=_attributes(channel, attributes),
        account=_line("account", account, _ACCOUNT_LIMIT),
        variant=_variant(channel, variant.strip()),
    )


def _attributes(channel: str, given: Mapping[str, str]) -> dict[str, str]:
    attributes = {
        _attribute_name(key): _line(key, value, _ATTRIBUTE_LIMIT) for key, value in given.items()
    }
    known = known_channel(channel)
    if isinstance(known, ReadsAttributes):
        try:
            known.check_attributes(attributes)
        except AddressError as error:
            raise InvalidSubscriber(str(error)) from error
    return attributes


def _variant(channel: str, text: str) -> str:
    variants = known_channel(channel).variants
    if text and text not in variants:
        raise InvalidSubscriber(
            f"{channel} has no variant {_shortened(text)}; "
            + (f"use one of: {', '.join(variants)}" if variants else "leave it empty")
        )
    return text


def _language(text: str) -> str:
    tag = text.strip()
    if tag and not _LANGUAGE_TAG.fullmatch(tag):
        raise InvalidSubscriber(
            f"{_shortened(tag)} is not a language tag; write zh-CN or en, or leave it empty"
        )
    return tag


def _attribute_name(text: str) -> str:
    name = _line("attribute name", text, _ATTRIBUTE_NAME_LIMIT)
    if not name or name.lower() in (*FIELDS, "attributes"):
        raise InvalidSubscriber(
            f"{_shortened(text)} cannot name an attribute; choose a word other than "
            f"{', '.join(FIELDS)} and attributes"
        )
    return name


def _line(what: str, text: str, limit: int) -> str:
    value = text.strip(" ")
    if len(value) > limit:
        raise InvalidSubscriber(
            f"{_shortened(what)} has {len(value)} characters; {limit} is the limit"
        )
    if _CONTROL.search(value):
        raise InvalidSubscriber(
            f"{_shortened(what)} holds a line break, a control character or bytes "
            "that are not UTF-8; take it out"
        )
    return value


def _shortened(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
