"""Runs the program as it runs on a host of another name: `as_host.py NAME WORDS...`.

A process tells by the name whether another one is of its own machine, and could be seen there.
"""

import socket
import sys

from distributor.cli.main import main

if __name__ == "__main__":
    name = sys.argv.pop(1)
    socket.gethostname = lambda: name
    main()
