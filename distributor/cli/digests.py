"""`digest show`, `digest check` and `preview`: what the reader and the channels make of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distributor.cli import session
from distributor.cli.commands import Commands
from distributor.cli.output import out, print_json
from distributor.cli.values import by_name
from distributor.digest.decoding import UnreadableDigest
from distributor.digest.plain import block_text, inline_text
from distributor.digest.view import as_json
from distributor.operations import editions
from distributor.operations.editions import LoadedEdition

app = Commands(help="Look at a digest before it goes anywhere.", no_args_is_help=True)

_Files = Annotated[list[Path], typer.Argument(help="Markdown files.", metavar="FILE…")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
_EXCERPT = 60


@app.command()
def show(files: _Files, json: _Json = False) -> None:
    """Show what the reader understood.

    Example: distributor digest show content/posts/20251203.md --json
    """
    settings = session.settings()
    unreadable = False
    for file in files:
        try:
            loaded = editions.load(file, settings)
        except UnreadableDigest as error:
            unreadable = True
            _unreadable(file, error, json)
            continue
        if json:
            print_json(_view(file, loaded))
        else:
            _print_digest(file, loaded)
    if unreadable:
        raise typer.Exit(1)


@app.command()
def check(files: _Files, json: _Json = False) -> None:
    """Say whether each file may go out, and why not.

    Example: distributor digest check content/posts/*.md
    """
    settings = session.settings()
    good = True
    for file in files:
        try:
            loaded = editions.load(file, settings)
        except UnreadableDigest as error:
            good = False
            _unreadable(file, error, json)
            continue
        good = good and loaded.publishable
        if json:
            view = _view(file, loaded)
            print_json({key: view[key] for key in ("file", "publishable", "reasons", "warnings")})
        else:
            _print_verdict(file, loaded)
    if not good:
        raise typer.Exit(1)


def register(root: typer.Typer) -> None:
    """Add `preview` to the program's commands."""
    root.command()(preview)


def preview(
    file: Annotated[Path, typer.Argument(help="A Markdown file.")],
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the files; created if missing.")
    ],
    name: Annotated[str, typer.Option(help="What the reader of the email is called.")] = "",
    attributes: Annotated[
        list[str] | None,
        typer.Option("--set", help="An attribute of theirs as NAME=VALUE; repeatable."),
    ] = None,
) -> None:
    """Write what each channel would send, as files to open.

    Example: distributor preview content/posts/20251203.md --out preview/ --set city=Shanghai
    """
    from distributor.operations import preview as operation

    reader = operation.Reader(name, by_name("--set", attributes or ()))
    settings = session.settings()
    written = operation.write(settings, file, folder, reader)
    for reason in written.edition.reasons:
        out.print(f"would be held  {reason.code}: {reason.message}", style="red", markup=False)
    for channel, warning in written.warnings:
        out.print(f"{channel}: {warning}", style="yellow", markup=False)
    out.print(f"{len(written.files)} files; open {folder / 'index.html'}", markup=False)


def _view(file: Path, loaded: LoadedEdition) -> dict[str, object]:
    return as_json(loaded.digest, str(file), loaded.reasons, loaded.warnings)


def _unreadable(file: Path, error: UnreadableDigest, json: bool) -> None:
    if json:
        print_json({"file": str(file), "error": str(error)})
    else:
        out.print(f"✕ {error}", style="red", markup=False, soft_wrap=True)


def _print_verdict(file: Path, loaded: LoadedEdition) -> None:
    if loaded.publishable:
        out.print(f"● {file}: may go out", markup=False, soft_wrap=True)
    for reason in loaded.reasons:
        line = f"✕ {file}: held, {reason.code}: {reason.message}"
        out.print(line, style="red", markup=False, soft_wrap=True)
    for warning in loaded.warnings:
        out.print(f"  {warning.code}: {warning.message}", style="yellow", markup=False)


def _print_digest(file: Path, loaded: LoadedEdition) -> None:
    digest = loaded.digest
    out.print(digest.title or "(no title)", style="bold", markup=False)
    date = digest.date.isoformat() if digest.date else "no date"
    about = [str(file), date, digest.language, ", ".join(digest.categories)]
    out.print("  ".join(filter(None, about)), style="bright_black", markup=False)
    for item in digest.items:
        # Not as columns: a terminal opens a link only when it stands in one piece.
        out.print(f"{item.number:>3}  {inline_text(item.title)}", markup=False, soft_wrap=True)
        out.print(
            f"     {item.url or 'no link'}", style="bright_black", markup=False, soft_wrap=True
        )
    for name, blocks in (("intro", digest.intro), ("commentary", digest.commentary)):
        words = " ".join(block_text(blocks).split())
        excerpt = words[:_EXCERPT] + ("…" if len(words) > _EXCERPT else "")
        out.print(f"{name}: {excerpt or 'none'}", markup=False)
    _print_verdict(file, loaded)
    out.print()
