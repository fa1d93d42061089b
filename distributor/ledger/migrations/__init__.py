"""The history of the schema, applied with Alembic inside the caller's transaction.

Every file in `versions/` begins with its revision, a number one above the file's before it.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_FOLDER = Path(__file__).parent
_VERSION_TABLE = sa.table("alembic_version", sa.column("version_num"))


def newest() -> str:
    """The newest revision that this program knows."""
    return max(path.stem.partition("_")[0] for path in _FOLDER.glob("versions/[0-9]*.py"))


def is_current(connection: Connection) -> bool:
    """True when the schema is the newest that this program knows.

    Every command asks this, and loading Alembic would take longer than most commands do.
    """
    if not sa.inspect(connection).has_table(_VERSION_TABLE.name):
        return False
    return connection.scalar(sa.select(_VERSION_TABLE.c.version_num)) == newest()


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision; does nothing when it is there already."""
    import alembic.command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")
