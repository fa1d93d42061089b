"""Finds templates and the tokens of the one look.

A template is looked for first in the folder that the operator named, so that copying one file
there overrides it, then among those shipped with the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder `name` (`templates` or `config`) that belongs to this installation.

    A wheel carries it as package data; in a checkout it stands at the top of the tree.
    """
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


class Templates:
    """Jinja2 templates by their path below `templates/`, autoescaped when they hold HTML."""

    def __init__(self, override: Path | None = None) -> None:
        """`override`: a folder whose files win over the shipped ones of the same path."""
        self._folders = [folder for folder in (override, shipped("templates")) if folder]

    def render(self, path: str, /, **values: object) -> str:
        """The template at `path` filled with `values`; an unknown name in it is an error."""
        return self.environment.get_template(path).render(**values)

    def read_bytes(self, path: str) -> bytes:
        """The file at `path` as it is. Raises `FileNotFoundError` when no folder has it."""
        for folder in self._folders:
            if (folder / path).is_file():
                return (folder / path).read_bytes()
        raise FileNotFoundError(f"no template {path} in {', '.join(map(str, self._folders))}")

    @cached_property
    def look(self) -> Mapping[str, Mapping[str, str]]:
        """The tokens of `templates/tokens.toml`: `light`, `dark` and `type`."""
        import tomllib

        return tomllib.loads(self.read_bytes("tokens.toml").decode())

    @cached_property
    def environment(self) -> jinja2.Environment:
        """The Jinja2 environment itself, for a channel that adds its own filters to a copy."""
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self._folders),
            autoescape=jinja2.select_autoescape(("html", "html.j2", "xml", "xml.j2")),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        globals_: dict[str, Any] = environment.globals
        globals_["look"] = self.look
        return environment
