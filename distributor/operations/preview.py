"""What each channel would send, written to files for a person or a checker to open."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from channels import registry
from channels.base import Account, Channel, Edition, RenderError
from channels.optional import PreviewsForReader
from distributor.digest.model import Digest
from distributor.engine.planner import web_edition_url
from distributor.operations import preview_page
from distributor.operations.editions import LoadedEdition, load
from distributor.operations.errors import OperationError
from distributor.settings import Settings


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom messages are shown that hold something of their reader's own."""

    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What each channel would send, as files."""

    edition: LoadedEdition
    folder: Path
    #: Names of the files written, `index.html` last.
    files: tuple[str, ...]
    #: What the channels want an operator to know, by channel.
    warnings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the channels made of an edition."""

    files: Mapping[str, bytes]
    warnings: tuple[tuple[str, str], ...]


def write(settings: Settings, path: Path, folder: Path, reader: Reader = Reader()) -> Preview:
    """Render the edition in `path` for every channel that has an account, into `folder`.

    What is personal is shown as `reader` would get it.

    An edition that would be held is shown all the same. Files of an earlier preview are replaced,
    others are left alone. Raises `UnreadableDigest`, and `OperationError` when no channel can
    carry the edition or the folder cannot be written.
    """
    loaded = load(path, settings)
    if not _says_something(loaded.digest):
        raise OperationError(f"{path} has nothing to preview: {_why_held(loaded)}")
    edition = Edition(
        digest=loaded.digest,
        web_url=web_edition_url(settings.public_url, loaded.digest.revision),
        publisher=settings.publisher_card(),
        templates=settings.template_source(),
    )
    shown = _show(settings, edition, reader)
    if not shown.files:
        reasons = "; ".join(f"{channel}: {warning}" for channel, warning in shown.warnings)
        raise OperationError(f"no channel can show {path}: {reasons}")
    page = preview_page.render(edition, loaded.reasons, shown.warnings, shown.files)
    files = {**shown.files, "index.html": page.encode()}
    _write(folder, files)
    return Preview(loaded, folder, tuple(files), shown.warnings)


def _show(settings: Settings, edition: Edition, reader: Reader) -> _Shown:
    files: dict[str, bytes] = {}
    warnings: list[tuple[str, str]] = []
    for name in registry.names():
        accounts = settings.accounts_of(name)
        if not accounts and name in preview_page.CHANNELS:
            warnings.append((name, "no account is configured, so there is no preview"))
        for account in accounts:
            channel = registry.get(name)
            try:
                warnings += [
                    (name, warning) for warning in channel.render(edition, account).warnings
                ]
                files = {**_files_of(channel, edition, account, reader), **files}
            except RenderError as error:
                warnings.append((name, f"cannot carry this edition: {error}"))
    return _Shown(files, tuple(dict.fromkeys(warnings)))


def _files_of(
    channel: Channel, edition: Edition, account: Account, reader: Reader
) -> Mapping[str, bytes]:
    if isinstance(channel, PreviewsForReader):
        return channel.preview_for(edition, account, reader.name, reader.attributes)
    return channel.preview(edition, account)


def _says_something(digest: Digest) -> bool:
    return bool(digest.title or digest.intro or digest.items or digest.commentary)


def _why_held(loaded: LoadedEdition) -> str:
    return "; ".join(reason.message for reason in loaded.reasons)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Each file is replaced whole, so that an open page never shows half of one."""
    if folder.exists() and not folder.is_dir():
        raise OperationError(f"{folder} is a file, and --out wants a folder; choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            draft = folder / f".{name}.{os.getpid()}"
            draft.write_bytes(content)
            draft.replace(folder / name)
    except OSError as error:
        raise OperationError(
            f"the preview cannot be written to {folder}: {error.strerror}; choose another --out"
        ) from error
