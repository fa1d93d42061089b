"""A worker that also knows the null channel: `python -m distributor.bench.worker`."""

from __future__ import annotations

from channels import registry
from distributor.bench.null_channel import NullChannel
from distributor.engine import processes
from distributor.engine.hints import CONTROL_QUEUE
from distributor.settings import load


def main() -> None:
    """Take every task there is, with the settings of the environment."""
    registry.register(NullChannel())
    processes.run_worker(load(), [CONTROL_QUEUE, NullChannel.name])


if __name__ == "__main__":
    main()
