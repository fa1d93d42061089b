"""One folder per channel: how an edition looks there and how it gets there."""
