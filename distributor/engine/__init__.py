"""The engine: plans a send, delivers it in claimed batches, and sweeps up after crashes."""
