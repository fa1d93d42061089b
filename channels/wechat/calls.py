"""Calls with an access token, which is replaced once when the platform refuses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from channels.optional import SharedStore
from channels.webhook import Answer, Poster
from channels.wechat.account import WeChatAccount
from channels.wechat.replies import errcode_of
from channels.wechat.tokens import STALE_TOKEN, Tokens

#: An Official Account answers this to a wrong token as well as to a wrong secret.
_WRONG_CREDENTIAL = 40001


class Calls:
    """The way to one account's calls. Raises what `Poster` and `Tokens` raise."""

    def __init__(self, account: WeChatAccount) -> None:
        self._poster = Poster(account.base_url, account.timeout_seconds)
        self._tokens = Tokens(account, self._poster)
        self._stale = STALE_TOKEN | ({_WRONG_CREDENTIAL} if account.kind == "official" else set())

    def share(self, store: SharedStore) -> None:
        """Keep the token where other workers find it."""
        self._tokens.share(store)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Post JSON."""
        return self._with_token(lambda query: self._poster.post_json(path, query, body))

    def upload(
        self, path: str, name: str, content: bytes, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Post the picture `content` as a file called `name`."""
        return self._with_token(
            lambda token: self._poster.post_file(
                path, {**token, **(query or {})}, field="media", name=name, content=content
            )
        )

    def close(self) -> None:
        """Close what is open."""
        self._poster.close()

    def _with_token(self, call: Callable[[Mapping[str, str]], Answer]) -> Answer:
        token = self._tokens.current()
        answer = call({"access_token": token})
        if errcode_of(answer) in self._stale:
            token = self._tokens.current(stale=token)
            answer = call({"access_token": token})
        return answer.without(token, "…")
