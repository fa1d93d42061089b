"""Bytes to text: UTF-8, UTF-16 and GB18030, with line ends and control characters made plain."""

from __future__ import annotations

import codecs
import re

from distributor.digest.findings import Findings

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_REPLACEMENT = "\ufffd"
#: Damaged characters that a text may have and still be worth reading: one in ten.
_TOLERATED_DAMAGE = 0.1
_SAMPLE_BYTES = 4096
#: Least share of zero bytes on one side of UTF-16 units: in text that UTF-8 accepts too, which
#: must then be ASCII, and in text that holds mostly other characters.
_ZEROS_IN_ASCII, _ZEROS_IN_CJK = 0.5, 0.02
_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029\x85]")
#: C0 and C1 controls that XML 1.0, SMTP and the Bot API refuse; tab and newline stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


class UnreadableDigest(Exception):
    """A file that cannot be read at all: what happened, to which file, what to do."""


def decode(data: bytes, name: str, findings: Findings) -> str:
    """The text of `data`, with `\\n` as the only line end and no control characters.

    A byte order mark decides; else it is UTF-8, UTF-16 without a mark, or GB18030, in this
    order. Raises `UnreadableDigest` when no encoding makes text of it; `name` is for the message.
    """
    text = _NEWLINE.sub("\n", _decoded(data, name, findings))
    clean, dropped = _CONTROL.subn("", text)
    if dropped:
        findings.add("control-characters", f"dropped {dropped} control characters")
    return clean


def _decoded(data: bytes, name: str, findings: Findings) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _damaged(data[len(mark) :], encoding, name, findings)
    if utf16 := _unmarked_utf16(data):
        findings.add("encoding", f"read as {utf16.upper()} without a byte order mark")
        return _damaged(data, utf16, name, findings)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data, name, findings)


def _legacy(data: bytes, name: str, findings: Findings) -> str:
    """GB18030, unless the file is plainly UTF-8 with a few damaged places."""
    as_utf8 = data.decode("utf-8", errors="replace")
    damaged = as_utf8.count(_REPLACEMENT)
    whole = sum(character > "\x7f" for character in as_utf8) - damaged
    if whole < damaged / _TOLERATED_DAMAGE:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            pass
        else:
            findings.add("encoding", "read as GB18030; save the file as UTF-8")
            return text
    return _damaged(data, "utf-8", name, findings)


def _damaged(data: bytes, encoding: str, name: str, findings: Findings) -> str:
    text = data.decode(encoding, errors="replace")
    damaged = text.count(_REPLACEMENT)
    unprintable = damaged + len(_CONTROL.findall(text))
    if unprintable > len(text) * _TOLERATED_DAMAGE:
        raise UnreadableDigest(
            f"{name} is not text: no encoding reads it; save it as UTF-8 Markdown"
        )
    if damaged:
        findings.add("encoding", f"{damaged} damaged characters in {encoding.upper()} text")
    return text


def _unmarked_utf16(data: bytes) -> str | None:
    """Which UTF-16 it is, told by the zero bytes that ASCII and line ends have in it."""
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    zeros, stray = max(even, odd), min(even, odd)
    share = _ZEROS_IN_ASCII if _is_utf8(data) else _ZEROS_IN_CJK
    if len(data) % 2 or zeros < max(1, len(sample) / 2 * share) or stray * 10 > zeros:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
