"""All settings of the program, and the one way to read them."""

from distributor.settings.model import Settings, SettingsError
from distributor.settings.reading import load

__all__ = ["Settings", "SettingsError", "load"]
