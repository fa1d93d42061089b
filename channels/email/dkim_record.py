"""What a published DKIM record lets a verifier do with our signatures (RFC 6376, section 3.6.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from channels.email.dkim_keys import SigningKey

#: What signatures are made with (the `a=` tag ends in it).
_HASH = "sha256"
#: The service types that email counts among.
_EMAIL_SERVICES = frozenset({"*", "email"})


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that a record says or leaves out; `text` ends with what to do about it."""

    text: str
    #: No signature verifies while it is so; otherwise it weakens them only.
    breaks: bool = True


def flaws_of(record: str, key: SigningKey) -> tuple[Flaw, ...]:
    """What in `record` keeps verifiers from using it for signatures of `key`.

    `t=s` is none: it is about the tag `i=`, which our signatures leave out.
    """
    tags = dict(_pairs(record))
    public = tags.get("p")
    if public != key.public:
        words = "a revoked key" if public == "" else "another key"
        return (Flaw(f"holds {words}; publish the record below"),)
    return (*_flaws_of_form(record), *_flaws_of_tags(tags, key))


def _flaws_of_form(record: str) -> Iterator[Flaw]:
    """What makes the list of tags invalid as a whole (RFC 6376, sections 3.2 and 3.6.1)."""
    for piece in record.split(";"):
        if piece.strip() and "=" not in piece:
            yield Flaw(f"has {piece.strip()!r}, which is no tag; take it out")
    names = [name for name, _ in _pairs(record)]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Flaw(f"has the tag {name}= twice; leave one")
    if "v" in names[1:]:
        yield Flaw("has v= after another tag; write it first")


def _flaws_of_tags(tags: Mapping[str, str], key: SigningKey) -> Iterator[Flaw]:
    version = tags.get("v", "DKIM1")
    if version != "DKIM1":
        yield Flaw(f"says v={version}, which verifiers ignore; write v=DKIM1")
    kind = tags.get("k", "rsa")
    if kind != key.kind:
        said = f"says k={kind}" if "k" in tags else "has no k=, which means rsa"
        yield Flaw(f"{said}, and the key is of kind {key.kind}; write k={key.kind}")
    if "h" in tags and _HASH not in tags["h"].split(":"):
        yield Flaw(f"says h={tags['h']}, which leaves out {_HASH}; take h= out")
    if "s" in tags and _EMAIL_SERVICES.isdisjoint(tags["s"].split(":")):
        yield Flaw(f"says s={tags['s']}, which leaves out email; take s= out")
    if "y" in tags.get("t", "").split(":"):
        yield Flaw(
            "says t=y, for testing, so verifiers may treat mail as unsigned; take t=y out",
            breaks=False,
        )


def _pairs(record: str) -> list[tuple[str, str]]:
    """The tags in their order; space within a value means nothing in those that are read here."""
    tags = (piece.partition("=") for piece in record.split(";"))
    return [(name.strip(), "".join(value.split())) for name, _, value in tags if name.strip()]
