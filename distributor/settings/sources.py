"""What can be set for a source of editions: one class a kind, by `kind`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

#: `user@host:path`, as ssh writes it.
_SSH_SHORTHAND = re.compile(r"[\w.-]+@[\w.-]+:[^:].*")


#: A user's name before a host on the web, which may be a token, or a password before any host.
_CREDENTIALS = re.compile(r"https?://[^/?#]*@|://[^/?#@:]*:[^/?#]*@", re.IGNORECASE)


def _without_credentials(url: str) -> str:
    if _CREDENTIALS.search(url):
        # Of a type of its own, so that the value is not repeated.
        raise PydanticCustomError(
            "credentials",
            "wants an address without a name or password in it; "
            "for Git use ssh or a credential helper",
        )
    return url


def _web_address(url: str) -> str:
    _without_credentials(url)
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError("wants an address like https://example.org/feed.xml")
    return url


def _repository(url: str) -> str:
    _without_credentials(url)
    if _SSH_SHORTHAND.fullmatch(url) or Path(url).is_absolute():
        return url
    try:
        is_address = urlsplit(url).scheme in ("https", "http", "ssh") and urlsplit(url).hostname
    except ValueError:
        is_address = None
    if not is_address:
        raise ValueError(
            "wants a repository like https://github.com/example/blog.git, "
            "git@github.com:example/blog.git or /srv/blog.git"
        )
    return url


def _inner_path(path: str) -> str:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError("wants a folder inside the repository, such as content/posts")
    return path


def _branch(name: str) -> str:
    if name.startswith("-") or re.search(r"[\s:~^?*\[\\\x00-\x1f]", name):
        raise ValueError("wants the name of a branch, such as main")
    return name


class SourceSettings(BaseModel):
    """What every source has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    #: How often to look, in seconds.
    poll_seconds: float = Field(default=300, ge=1, le=86_400)
    #: Of one file or page; a larger one is left out.
    max_bytes: int = Field(default=5_000_000, ge=1_000, le=100_000_000)


class FolderSettings(SourceSettings):
    """Editions in a folder."""

    kind: Literal["folder"]
    #: Relative to the working directory.
    path: Path
    #: Changes are told by the system; this is for what it does not tell.
    poll_seconds: float = Field(default=60, ge=1, le=86_400)


class _RemoteSettings(SourceSettings):
    #: For a look as a whole.
    timeout_seconds: float = Field(default=60, ge=1, le=3_600)
    #: Whether machines of this network may be reached.
    allow_private: bool = False


class GitSettings(_RemoteSettings):
    """Editions in a Git repository."""

    kind: Literal["git"]
    url: Annotated[str, AfterValidator(_repository)]
    #: Empty: the one that the repository names as its own.
    branch: Annotated[str, AfterValidator(_branch)] = ""
    #: Folder in the repository; empty: all of it.
    path: Annotated[str, AfterValidator(_inner_path)] = ""


class UrlSettings(_RemoteSettings):
    """Editions on the web: a feed, or one page."""

    kind: Literal["url"]
    url: Annotated[str, AfterValidator(_web_address)]


#: The class of each kind, by its name.
SOURCE_KINDS: Mapping[str, type[SourceSettings]] = {
    "folder": FolderSettings,
    "git": GitSettings,
    "url": UrlSettings,
}
