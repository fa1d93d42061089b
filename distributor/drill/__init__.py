"""The drill: breaks a running service on purpose, and proves that nobody was lost."""
