"""The use cases that the command line and the web pages call."""
