"""Settings of a WeChat account: a WeCom robot or app, or an Official Account."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from channels.base import Account
from channels.wechat.messages.profiles import Profile

Kind = Literal["robot", "app", "official"]

_BASE_URLS: Mapping[str, str] = MappingProxyType(
    {
        "robot": "https://qyapi.weixin.qq.com",
        "app": "https://qyapi.weixin.qq.com",
        "official": "https://api.weixin.qq.com",
    }
)
#: What an account of each kind cannot do without.
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "robot": (),
        "app": ("corp_id", "agent_id", "secret"),
        "official": ("app_id", "secret"),
    }
)
#: WeChat counts a wide character as one: https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
_AUTHOR_CHARACTERS = 16


class WeChatAccount(Account):
    """How WeCom or WeChat is reached.

    Robot keys are addresses of subscribers, so none stands here.
    """

    channel: Literal["wechat"] = "wechat"
    #: Which WeChat this is.
    kind: Kind = "robot"
    #: Where the platform lives, without a path; another one for a private WeCom.
    base_url: str = Field(default="", pattern=r"^https?://[^/?#\s]+")
    #: Longest wait for a connection, and again for each piece of the answer, in seconds.
    timeout_seconds: float = Field(default=30, gt=0, le=300)
    #: The form of messages for those who chose none; not for an Official Account.
    profile: Profile = "cards"
    #: The article's look: a file below `templates/wechat/themes`, without `.toml`.
    theme: str = Field(default="paper", pattern=r"^[a-z0-9-]+$")
    #: The organisation of an app, 企业 ID.
    corp_id: str = ""
    #: The app, AgentId.
    agent_id: int = Field(default=0, ge=0)
    #: The Official Account, AppID.
    app_id: str = ""
    #: Of the app or the Official Account.
    secret: SecretStr = SecretStr("")
    #: Named under the title of an Official Account's article; empty: the publisher's name.
    author: str = Field(default="", max_length=_AUTHOR_CHARACTERS)
    #: How far an Official Account takes an edition: a draft that a person publishes, an article
    #: that is published, or a mass send to its followers.
    publish: Literal["draft", "publish", "mass"] = "draft"

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_its_kind(cls, options: dict[str, Any]) -> dict[str, Any]:
        kind = options.get("kind", "robot")
        if kind not in _BASE_URLS:
            return options
        defaults: dict[str, Any] = {"base_url": _BASE_URLS[kind]}
        if kind != "robot":
            # An app's calls are compared and an Official Account is looked at before anything is
            # repeated: a retry is safe there.
            defaults["on_unknown"] = "resend"
        return {**defaults, **options}

    @field_validator("base_url")
    @classmethod
    def _without_trailing_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("secret")
    @classmethod
    def _without_spaces(cls, secret: SecretStr) -> SecretStr:
        return SecretStr(secret.get_secret_value().strip())

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        missing = [key for key in _NEEDED[self.kind] if not self._is_set(key)]
        if missing:
            raise ValueError(f'an account with kind = "{self.kind}" needs {", ".join(missing)}')
        return self

    def _is_set(self, key: str) -> bool:
        value = getattr(self, key)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)

    @property
    def address_prefix(self) -> str:
        """`app:` or `official:`; a robot gets the bare keys."""
        return "" if self.kind == "robot" else f"{self.kind}:"
