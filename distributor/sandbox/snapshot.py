"""Writes what subscribers would see into one file that needs no server."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from distributor.sandbox.local_pictures import LocalPictures
from distributor.sandbox.store import Store, open_database
from distributor.sandbox.views import overview, totals
from distributor.templating import Templates


def snapshot(folder: Path, out: Path, templates_override: Path | None = None) -> Path:
    """Write the overview of the sandbox in `folder` to the file `out`, and return `out`.

    Everything is inside the file; it runs nothing and loads nothing. Works while the sandbox
    runs and after it has stopped.
    """
    with closing(open_database(folder)) as connection:
        store = Store(connection, folder)
        pictures = LocalPictures()
        view = overview(store, pictures)
        if pictures.fetch_wanted():
            view = overview(store, pictures)
        html = Templates(templates_override).render(
            "sandbox/snapshot.html.j2", totals=totals(store), **view
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html, encoding="utf-8")
    return out
