"""Requests with a name of their own: repeated under it, they are one request.

A caller that got no answer asks again with the same key and gets the answer of the first time, as
with the Idempotency-Key header of HTTP APIs (draft-ietf-httpapi-idempotency-key-header): the send
that it made, or the earlier ones that had brought everything. What came to nothing (the edition is
held, something is wrong or away) takes no key, so that it can be put right and asked for again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy.engine import Connection

from distributor.ledger import requests
from distributor.ledger.requests import Answer, RequestKey
from distributor.operations.errors import WrongRequest

_LONGEST_KEY = 200


def key_of(name: str, asked_for: Mapping[str, object]) -> RequestKey:
    """The key `name` with a hash of `asked_for`. Raises `WrongRequest` for an unusable name."""
    if not 1 <= len(name) <= _LONGEST_KEY or not name.isprintable():
        raise WrongRequest(f"an idempotency key has 1 to {_LONGEST_KEY} printable characters")
    content = json.dumps(asked_for, sort_keys=True).encode()
    return RequestKey(name, hashlib.sha256(content).hexdigest())


def answered_before(connection: Connection, key: RequestKey) -> Answer | None:
    """What this request was answered before. Raises `WrongRequest` when another request was."""
    answer = requests.answered(connection, key.name)
    if answer is not None and answer.request_hash != key.request_hash:
        made = f"made send {answer.send_id}," if answer.send_id else "was used for a request"
        raise WrongRequest(
            f"the idempotency key {key.name!r} {made} of another edition or with "
            "other options; use a new key for a new request"
        )
    return answer
