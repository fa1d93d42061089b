"""The content: what an edition is, how it is read, and whether it may go out."""
