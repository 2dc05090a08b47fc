"""The SMART sample tables (laboratory results, refills, patients) as one FHIR Bundle a patient."""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AUTHORITY = "http://example.org/smart"


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of a tab-separated table by column name; missing columns are empty."""
    with (folder / f"{name}.txt").open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
        return [{key: value for key, value in row.items() if key is not None} for row in rows]


def smart_bundles(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each patient's number with a collection Bundle of everything the tables say."""
    by_patient: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_table(folder, "patients"):
        by_patient[row["PID"]].append(_patient(row))
    for row in read_table(folder, "labs"):
        by_patient[row["PID"]].append(_observation(row))
    for row in read_table(folder, "refills"):
        by_patient[row["PID"]].append(_dispense(row))
    for number, resources in sorted(by_patient.items()):
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "id": f"smart-{number}",
            "entry": [{"resource": resource} for resource in resources],
        }
        yield number, json.dumps(bundle).encode()


def _subject(row: dict[str, str]) -> dict[str, Any]:
    return {"reference": f"Patient/{row['PID']}", "identifier": {"system": AUTHORITY, "value": row["PID"]}}


def _patient(row: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": row["PID"],
        "identifier": [{"system": AUTHORITY, "value": row["PID"]}],
        "birthDate": row["dob"],
        "gender": row["gender"].lower() or "unknown",
        "address": [{"country": row["country"]}],
    }


def _observation(row: dict[str, str]) -> dict[str, Any]:
    built: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"lab-{row['ID']}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": row["LOINC"], "display": row["NAME"]}]},
        "subject": _subject(row),
        "effectiveDateTime": row["DATE"],
    }
    sign = row["VALUE"][:1] if row["VALUE"][:1] in ("<", ">") else ""
    number = _number(row["VALUE"].removeprefix(sign))
    if number is not None:
        parts = {"value": number, "comparator": sign, "unit": row["UNITS"]}
        built["valueQuantity"] = {name: part for name, part in parts.items() if part != ""}
    else:
        built["valueString"] = row["VALUE"]
    return built


def _dispense(row: dict[str, str]) -> dict[str, Any]:
    built: dict[str, Any] = {
        "resourceType": "MedicationDispense",
        "id": f"refill-{row['ID']}",
        "status": "completed",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": row["RXN"]}]
        },
        "subject": _subject(row),
        "whenHandedOver": row["DATE"],
    }
    for element, column in (("quantity", "Q"), ("daysSupply", "DAYS")):
        number = _number(row[column])
        if number is not None:
            built[element] = {"value": number}
    return built


def _number(text: str) -> float | int | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def main(arguments: list[str]) -> int:
    """Write one Bundle a line: `python -m tests.schemas.smart_tables FOLDER OUT.ndjson`."""
    folder, out = map(Path, arguments)
    out.write_bytes(b"".join(raw + b"\n" for _, raw in smart_bundles(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
