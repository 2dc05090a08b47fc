"""The tables that give codes and units a meaning: analytes, medicines, conditions, statements.

The YAML files beside this module are the only home of codes, conversion factors and
plausible ranges. Everything here answers "not known" rather than guess.
"""

from schemas.codes.normalising import Normalisation, NumberReading, normalise, read_number
from schemas.codes.tables import (
    Analyte,
    AnalyteCode,
    CodeTables,
    MedicineMatch,
    StatementCode,
    analyte,
    class_members,
    classes_of,
    tables,
)

__all__ = [
    "Analyte",
    "AnalyteCode",
    "CodeTables",
    "MedicineMatch",
    "Normalisation",
    "NumberReading",
    "StatementCode",
    "analyte",
    "class_members",
    "classes_of",
    "normalise",
    "read_number",
    "tables",
]
