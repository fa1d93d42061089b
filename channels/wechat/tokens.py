"""Access tokens of WeCom apps and Official Accounts: fetched once, shared by all workers.

A token is valid for two hours at most. WeCom: https://developer.work.weixin.qq.com/document/path/91039.
Official Account, by the stable call, which does not end the token of somebody else:
https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from channels.base import AccountUnreachable, Outcome
from channels.errcodes import Errcodes
from channels.optional import SharedStore
from channels.webhook import Answer, NotAnswered, NotSent, Poster
from channels.wechat.account import WeChatAccount
from channels.wechat.errcodes import OFFICIAL, WECOM
from channels.wechat.replies import errcode_of, read_reply

#: A token is given up this long before its end, in seconds: a call with it takes a while.
_MARGIN_SECONDS = 300
_LOCK_SECONDS = 20
#: The platform's word that a token is wrong or too old.
STALE_TOKEN = frozenset({40014, 42001, 41001, 42007})


class NoToken(Exception):
    """There is no token now; `outcome` says what that means for a delivery."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


class LocalStore:
    """A `channels.base.SharedStore` of this process alone."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """What was put there, unless it is too old."""
        until, value = self._kept.get(key, (0.0, ""))
        return value if time.monotonic() < until else None

    def put(self, key: str, value: str, seconds: float) -> None:
        """Keep `value` for so long."""
        self._kept[key] = (time.monotonic() + seconds, value)

    @contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[None]:  # noqa: ARG002
        """Let one thread at a time into the block."""
        with self._lock:
            yield


class Tokens:
    """The token of one account."""

    def __init__(self, account: WeChatAccount, poster: Poster) -> None:
        self._account = account
        self._poster = poster
        self._table: Errcodes = WECOM if account.kind == "app" else OFFICIAL
        self._store: SharedStore = LocalStore()
        identity = f"{account.base_url} {account.corp_id} {account.agent_id} {account.app_id}"
        self._key = f"wechat-token:{sha256(identity.encode()).hexdigest()[:24]}"

    def share(self, store: SharedStore) -> None:
        """Keep the token where other workers find it."""
        self._store = store

    def current(self, stale: str = "") -> str:
        """A token that is not `stale`, the one that the platform refused. Raises `NoToken`."""
        found = self._store.get(self._key)
        if found and found != stale:
            return found
        with self._store.lock(self._key, _LOCK_SECONDS):
            # Somebody else may have fetched one while we waited.
            found = self._store.get(self._key)
            if found and found != stale:
                return found
            token, seconds = self._fetch(is_refused=bool(stale))
            self._store.put(self._key, token, max(1, seconds - _MARGIN_SECONDS))
            return token

    def _fetch(self, *, is_refused: bool) -> tuple[str, float]:
        try:
            answer = self._ask(is_refused)
        except NotSent as error:
            raise NoToken(self._table.not_sent(str(error))) from None
        except NotAnswered as error:
            # No message was on its way: asking again is safe.
            raise NoToken(self._table.not_sent(str(error))) from None
        found = answer.json or {}
        token, seconds = found.get("access_token"), found.get("expires_in")
        if isinstance(token, str) and token and isinstance(seconds, int):
            return token, seconds
        answer = answer.without(self._account.secret.get_secret_value(), "…")
        outcome = read_reply(answer, self._table)
        if errcode_of(answer) in (None, 0):
            outcome = self._table.not_the_platform(answer.status, "no access token in the answer")
        raise NoToken(outcome)

    def _ask(self, is_refused: bool) -> Answer:
        account, secret = self._account, self._account.secret.get_secret_value()
        if account.kind == "app":
            query = {"corpid": account.corp_id, "corpsecret": secret}
            return self._poster.get("/cgi-bin/gettoken", query)
        body = {
            "grant_type": "client_credential",
            "appid": account.app_id,
            "secret": secret,
            # The stable call gives the same token until its end; one that the platform itself
            # refuses has to be replaced by force.
            "force_refresh": is_refused,
        }
        return self._poster.post_json("/cgi-bin/stable_token", {}, body)


def check(account: WeChatAccount) -> str:
    """Fetch a token; nothing is sent. Raises `AccountUnreachable` with what to do."""
    poster = Poster(account.base_url, account.timeout_seconds)
    try:
        Tokens(account, poster).current()
    except NoToken as error:
        outcome = error.outcome
        table = WECOM if account.kind == "app" else OFFICIAL
        advice = table.explain(outcome.code, "en") or (
            f"Check the network, the proxy settings and base_url of the account {account.name!r}."
        )
        raise AccountUnreachable(
            f"{account.base_url} gives the account {account.name!r} no token: {outcome.code} "
            f"{outcome.reply[:200]}. {advice}"
        ) from None
    finally:
        poster.close()
    named = f"agent {account.agent_id}" if account.kind == "app" else account.app_id
    return f"{account.base_url} accepts the secret of {named}"
