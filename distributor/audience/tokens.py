"""Signed unsubscribe tokens: whoever holds one may leave, and nobody can make one up.

A token says which subscriber and which send, carries no address, and never expires: a reader may
leave from any edition ever received. RFC 8058 asks that it cannot be forged, because the request
that brings it has no cookie and no login.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import struct
from collections.abc import Iterator

from distributor.audience.delivery_key import DeliveryKey
from distributor.audience.errors import InvalidToken

_SECRET_BYTES = 16
_MAC_BYTES = 16
#: Subscriber and send as unsigned 64-bit numbers. With the MAC 32 bytes: 43 characters.
_IDS = struct.Struct(">QQ")
_PURPOSE = b"digest-distributor unsubscribe token 1"


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

    def read(self, token: str) -> DeliveryKey:
        """Who and which send the token speaks of. Raises `InvalidToken`."""
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=")
            subscriber_id, send_id = _IDS.unpack(raw[_MAC_BYTES:])
        except (UnicodeEncodeError, binascii.Error, struct.error) as error:
            raise _INVALID from error
        # Comparing the whole text also refuses other spellings of the same bytes.
        if not hmac.compare_digest(self.issue(subscriber_id, send_id), token):
            raise _INVALID
        return DeliveryKey(subscriber_id, send_id)


class BounceTokens:
    """Marks the envelope sender of each email, so that what comes back names its delivery (VERP).

    Letters in lower case, digits and dashes only, because mail servers may change a local part's
    case: `c-1e240-` and 16 letters of base32, which are 80 bits of HMAC-SHA256. Whoever cannot
    sign cannot have a reader suppressed by writing to the bounce address.
    """

    def __init__(self, secret: str | bytes) -> None:
        """`secret`: as for `UnsubscribeTokens`; another key is derived from it."""
        raw = secret.encode() if isinstance(secret, str) else secret
        self._key = hmac.digest(raw, _BOUNCE_PURPOSE, "sha256")

    def issue(self, subscriber_id: int, send_id: int) -> str:
        """The token, always the same for the same two ids; 20 to 50 characters."""
        ids = f"{send_id:x}-{subscriber_id:x}"
        mac = hmac.digest(self._key, ids.encode(), "sha256")[:_BOUNCE_MAC_BYTES]
        return f"{ids}-{base64.b32encode(mac).decode().lower()}"

    def find(self, text: str) -> Iterator[DeliveryKey]:
        """Every genuine token in `text`, in upper or lower case."""
        for found in _BOUNCE_TOKEN.finditer(text):
            claim = DeliveryKey(int(found[2], 16), int(found[1], 16))
            own = self.issue(claim.subscriber_id, claim.send_id)
            if hmac.compare_digest(own, found[0].lower()):
                yield claim


_BOUNCE_PURPOSE = b"digest-distributor bounce token 1"
_BOUNCE_MAC_BYTES = 10
_BOUNCE_TOKEN = re.compile(
    r"(?<![0-9a-f])([1-9a-f][0-9a-f]{0,15})-([1-9a-f][0-9a-f]{0,15})-([a-z2-7]{16})(?![a-z2-7])",
    re.IGNORECASE,
)

_INVALID = InvalidToken(
    "this unsubscribe link is not one of ours or was cut short; "
    "open the link in the newest edition again"
)
