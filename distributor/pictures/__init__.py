"""Pictures of an edition: covers, cards, a poster to share, the whole digest as one long picture.

The same edition gives the same bytes. All are PNG files that the platforms take: under 1 MB, the
long one under 2 MB.
"""

from distributor.pictures.catalog import FIXED, draw
from distributor.pictures.subject import Subject

__all__ = ["FIXED", "Subject", "draw"]
