"""Requests with a name of their own: repeated under it, they are one request.

A caller that got no answer asks again with the same key and learns of what it made the first
time, as with the Idempotency-Key header of HTTP APIs (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from distributor.engine.context import Context
from distributor.ledger import sends
from distributor.ledger.sends import RequestKey, Send
from distributor.operations.errors import WrongRequest

_LONGEST_KEY = 200


def key_of(name: str, asked_for: Mapping[str, object]) -> RequestKey:
    """The key `name` with a hash of `asked_for`. Raises `WrongRequest` for an unusable name."""
    if not 1 <= len(name) <= _LONGEST_KEY or not name.isprintable():
        raise WrongRequest(f"an idempotency key has 1 to {_LONGEST_KEY} printable characters")
    content = json.dumps(asked_for, sort_keys=True).encode()
    return RequestKey(name, hashlib.sha256(content).hexdigest())


def made_before(context: Context, key: RequestKey) -> Send | None:
    """The send that this request made before. Raises `WrongRequest` when another request did."""
    with context.ledger.read() as connection:
        found = sends.with_key(connection, key.name)
        send = sends.find(connection, found[0]) if found else None
    if found is None or send is None:
        return None
    if found[1] != key.request_hash:
        raise WrongRequest(
            f"the idempotency key {key.name!r} made send {send.id}, of another edition or with "
            "other options; use a new key for a new request"
        )
    return send
