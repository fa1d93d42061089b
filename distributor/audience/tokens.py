"""Signed unsubscribe tokens: whoever holds one may leave, and nobody can make one up.

A token says which subscriber and which send, carries no address, and never expires: a reader may
leave from any edition ever received. RFC 8058 asks that it cannot be forged, because the request
that brings it has no cookie and no login.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass

from distributor.audience.errors import InvalidToken

_SECRET_BYTES = 16
_MAC_BYTES = 16
#: Subscriber and send as unsigned 64-bit numbers. With the MAC 32 bytes: 43 characters.
_IDS = struct.Struct(">QQ")
_PURPOSE = b"digest-distributor unsubscribe token 1"


@dataclass(frozen=True, slots=True)
class UnsubscribeClaim:
    """What a genuine token says: this subscriber, from this send."""

    subscriber_id: int
    send_id: int


class UnsubscribeTokens:
    """Issues and reads tokens with HMAC-SHA256, cut to 128 bits."""

    def __init__(self, secret: str | bytes) -> None:
        """`secret`: at least 16 bytes; changing it makes every token issued so far invalid.

        Raises `ValueError` when it is shorter. A key is derived from it for this purpose alone.
        """
        raw = secret.encode() if isinstance(secret, str) else secret
        if len(raw) < _SECRET_BYTES:
            raise ValueError(f"the secret for unsubscribe links needs {_SECRET_BYTES} bytes")
        self._key = hmac.digest(raw, _PURPOSE, "sha256")

    def issue(self, subscriber_id: int, send_id: int) -> str:
        """The token: 43 letters, digits, `-` and `_`, always the same for the same two ids."""
        ids = _IDS.pack(subscriber_id, send_id)
        mac = hmac.digest(self._key, ids, "sha256")[:_MAC_BYTES]
        return base64.urlsafe_b64encode(mac + ids).rstrip(b"=").decode()

    def read(self, token: str) -> UnsubscribeClaim:
        """Who and which send the token speaks of. Raises `InvalidToken`."""
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=")
            subscriber_id, send_id = _IDS.unpack(raw[_MAC_BYTES:])
        except (UnicodeEncodeError, binascii.Error, struct.error) as error:
            raise _INVALID from error
        # Comparing the whole text also refuses other spellings of the same bytes.
        if not hmac.compare_digest(self.issue(subscriber_id, send_id), token):
            raise _INVALID
        return UnsubscribeClaim(subscriber_id, send_id)


_INVALID = InvalidToken(
    "this unsubscribe link is not one of ours or was cut short; "
    "open the link in the newest edition again"
)
