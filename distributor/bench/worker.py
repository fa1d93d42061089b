"""The engine's programs with the null channel known to them.

`python -m distributor.bench.worker` takes every task there is, with `scheduler` behind it it
keeps the time.
"""

from __future__ import annotations

import sys

from channels import registry
from distributor.bench.null_channel import NullChannel
from distributor.engine import processes
from distributor.engine.hints import CONTROL_QUEUE
from distributor.settings import load


def main() -> None:
    """Run with the settings of the environment until told to end."""
    registry.register(NullChannel())
    if sys.argv[1:] == ["scheduler"]:
        processes.run_scheduler(load())
    else:
        processes.run_worker(load(), [CONTROL_QUEUE, NullChannel.name])


if __name__ == "__main__":
    main()
