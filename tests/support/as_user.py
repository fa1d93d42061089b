"""Becomes another user, then runs a command that dies with its parent.

Called as `as_user.py UID GID PARENT_PID COMMAND...`. PostgreSQL refuses to run as root. The kernel
forgets whose death to watch when the user changes, so the user must change first.
"""

import os
import sys

from distributor.engine import bound


def main() -> None:
    uid, gid = int(sys.argv.pop(1)), int(sys.argv.pop(1))
    if uid != os.getuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    bound.main()


if __name__ == "__main__":
    main()
