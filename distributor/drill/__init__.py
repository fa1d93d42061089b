"""The drill: breaks a running service on purpose, and proves that nobody was lost."""

#: With fewer, a drill is over before there is anything to break.
FEWEST_RECIPIENTS = 50
