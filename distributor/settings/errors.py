"""What is wrong with settings, for the person who wrote them."""

from __future__ import annotations


class SettingsError(Exception):
    """Settings that cannot be used: one line a problem, naming key, value and what is wanted."""
