"""What every reader takes and gives: a context, and a reading that never raises on bad data."""

from schemas.reading.context import ReadingContext
from schemas.reading.result import Ignored, Outcome, Reading

__all__ = ["Ignored", "Outcome", "Reading", "ReadingContext"]
