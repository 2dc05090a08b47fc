"""Small frozen values that facts are made of."""

from schemas.values.coding import Coding
from schemas.values.patient import PatientRef
from schemas.values.source import Source
from schemas.values.when import Precision, When

__all__ = ["Coding", "PatientRef", "Precision", "Source", "When"]
