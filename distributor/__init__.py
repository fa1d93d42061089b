"""Brings one finished digest to every subscriber on every channel, and accounts for each."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("digest-distributor")
except PackageNotFoundError:  # a source tree on sys.path that was never installed
    __version__ = "0+unknown"
