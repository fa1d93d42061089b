"""All settings of the program, and the one way to read them."""

from distributor.settings.errors import SettingsError
from distributor.settings.model import Settings
from distributor.settings.reading import load

__all__ = ["Settings", "SettingsError", "load"]
