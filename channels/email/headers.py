"""Header fields as bytes: RFC 5322 lines with RFC 2047 encoded words.

Written by hand because the standard library folds long URLs into encoded words, which breaks
one-click unsubscribing, and lets encoded words of Chinese text grow over 75 characters.
"""

from __future__ import annotations

import binascii
import re
import unicodedata

#: RFC 2047, section 2: an encoded word, and a line that holds one.
_MAX_WORD = 75
_MAX_WORD_LINE = 76
_WORD_START, _WORD_END = "=?utf-8?b?", "?="
#: RFC 5322, section 2.1.1: octets in a line, without CRLF.
MAX_LINE = 998

_FOLD = "\r\n "
_PLAIN = re.compile(r"[ -~]*")


class HeaderError(ValueError):
    """A value that no header field can carry; the text says which and why."""


def text_field(name: str, value: str) -> bytes:
    """An unstructured field such as Subject. Line breaks and control characters become spaces."""
    value = clean(value)
    folded = _fold_plain(value, used=len(name) + 2)
    if folded is None:
        folded = _encoded_words(value, used=len(name) + 2)
    return f"{name}: {folded}\r\n".encode("ascii")


def mailbox_field(name: str, display_name: str, address: str) -> bytes:
    """A field with one address, as UTF-8 when the address itself needs it (RFC 6532).

    `address` must be in canonical form already.
    """
    phrase = _phrase(display_name, used=len(name) + 2)
    value = f"{phrase}{_FOLD}<{address}>" if phrase else address
    return raw_field(name, value)


def list_id_field(phrase: str, list_id: str) -> bytes:
    """`List-Id` (RFC 2919): a stable id with a name for people before it."""
    name = "List-Id"
    return raw_field(name, f"{_phrase(phrase, used=len(name) + 2)}{_FOLD}<{list_id}>")


def raw_field(name: str, value: str) -> bytes:
    """A field whose value is already in its final form; never encoded, never folded.

    Raises `HeaderError` for a line break that is not a fold and for a line over 998 octets.
    """
    line = f"{name}: {value}"
    lines = line.split(_FOLD)
    if any("\r" in part or "\n" in part or "\0" in part for part in lines):
        raise HeaderError(f"the header {name} would hold a line break")
    if any(len(part.encode()) > MAX_LINE - 1 for part in lines):
        raise HeaderError(f"the header {name} would be longer than {MAX_LINE} octets")
    return line.encode() + b"\r\n"


def clean(text: str) -> str:
    """`text` on one line: runs of white space become one space, control characters go."""
    words = "".join(
        char
        for char in " ".join(text.split())
        if unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
    )
    return " ".join(words.split())


def _phrase(text: str, used: int) -> str:
    """A display name: a quoted string where that is enough, else encoded words."""
    text = clean(text)
    if not text:
        return ""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if _is_plain(text) and used + len(quoted) <= _MAX_WORD_LINE:
        return quoted
    return _encoded_words(text, used)


def _fold_plain(text: str, used: int) -> str | None:
    """Printable ASCII `text` folded at its spaces; None when it must be encoded."""
    if not _is_plain(text):
        return None
    lines: list[str] = []
    line, room = "", _MAX_WORD_LINE - used
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if len(longer) <= room:
            line = longer
            continue
        if not line or len(word) >= _MAX_WORD_LINE:
            return None
        lines.append(line)
        line, room = word, _MAX_WORD_LINE - 1
    return _FOLD.join([*lines, line])


def _is_plain(text: str) -> bool:
    # "=?" could be read as the start of an encoded word.
    return _PLAIN.fullmatch(text) is not None and "=?" not in text


def _encoded_words(text: str, used: int) -> str:
    """`text` in encoded words, one a line; no character is cut. `used`: columns taken before."""
    words: list[str] = []
    chunk, room = b"", _octets_that_fit(used)
    for char in text:
        octets = char.encode()
        if chunk and len(chunk) + len(octets) > room:
            words.append(_encoded_word(chunk))
            chunk, room = b"", _octets_that_fit(used=1)
        chunk += octets
    words.append(_encoded_word(chunk))
    return _FOLD.join(words)


def _octets_that_fit(used: int) -> int:
    width = min(_MAX_WORD, _MAX_WORD_LINE - used) - len(_WORD_START) - len(_WORD_END)
    return width // 4 * 3


def _encoded_word(octets: bytes) -> str:
    encoded = binascii.b2a_base64(octets, newline=False).decode("ascii")
    return f"{_WORD_START}{encoded}{_WORD_END}"
