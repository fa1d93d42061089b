"""The audience: lists, subscribers, who left and who must not be written to."""
