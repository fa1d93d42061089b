"""What each channel would send, written to files for a person or a checker to open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from channels import registry
from channels.base import Edition, RenderError
from distributor.engine.planner import web_edition_url
from distributor.operations.editions import LoadedEdition, load
from distributor.operations.errors import OperationError
from distributor.settings import Settings


@dataclass(frozen=True, slots=True)
class Preview:
    edition: LoadedEdition
    folder: Path
    #: Names of the files written, `index.html` last.
    files: tuple[str, ...]
    #: What the channels want an operator to know, by channel.
    warnings: tuple[tuple[str, str], ...]


def write(settings: Settings, path: Path, folder: Path) -> Preview:
    """Render the edition in `path` for every channel that has an account, into `folder`.

    An edition that would be held is shown all the same. Raises `UnreadableDigest`, and
    `OperationError` when a channel cannot carry it or the folder cannot be written.
    """
    loaded = load(path)
    if not loaded.digest.title and not loaded.digest.items and not loaded.digest.intro:
        raise OperationError(f"{path} holds nothing to show: {_reasons(loaded)}")
    templates = settings.template_source()
    edition = Edition(
        digest=loaded.digest,
        web_url=web_edition_url(settings.public_url, loaded.digest.revision),
        publisher=settings.publisher_card(),
        templates=templates,
    )
    files: dict[str, bytes] = {}
    warnings: list[tuple[str, str]] = []
    for channel in registry.names():
        account = settings.account_for(channel)
        if account is None:
            warnings.append((channel, "no account is configured, so there is no preview"))
            continue
        try:
            files |= registry.get(channel).preview(edition, account)
            rendering = registry.get(channel).render(edition)
        except RenderError as error:
            raise OperationError(f"{channel} cannot carry {path}: {error}") from error
        warnings += [(channel, warning) for warning in rendering.warnings]
    page = templates.render(
        "web/preview.html.j2",
        digest=loaded.digest,
        reasons=loaded.reasons,
        warnings=warnings,
        files={name: len(content) for name, content in files.items()},
        telegram=json.loads(files.get("telegram.json", b"[]")),
        robot=json.loads(files.get("wechat-robot.json", b"[]")),
    )
    files["index.html"] = page.encode()
    _write(folder, files)
    return Preview(loaded, folder, tuple(files), tuple(warnings))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise OperationError(
            f"the preview cannot be written to {folder}: {error.strerror}; choose another --out"
        ) from error


def _reasons(loaded: LoadedEdition) -> str:
    return "; ".join(reason.message for reason in loaded.reasons) or "no title and no text"
