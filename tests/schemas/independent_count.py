"""An independent count: every result and medicine our tables know, found without any code of the readers.

It shares nothing with them but the YAML tables. Each row is (patient, what, value, unit, day).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

CODES = Path(__file__).resolve().parents[2] / "schemas" / "codes"
Row = tuple[str, str, str, str, str]


def known_codes() -> set[tuple[str, str]]:
    """(system, code) of every analyte and medicine."""
    analytes = yaml.safe_load((CODES / "analytes.yaml").read_text(encoding="utf-8"))["analytes"]
    medicines = yaml.safe_load((CODES / "medicines.yaml").read_text(encoding="utf-8"))["medicines"]
    known = {("http://loinc.org", code["code"]) for entry in analytes for code in entry["codes"]}
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    for entry in medicines:
        known |= {(rxnorm, code["code"]) for code in entry.get("rxnorm", ())}
        known |= {(rxnorm, product["rxnorm"]) for product in entry.get("products", ())}
        known |= {("http://www.whocc.no/atc", code["code"]) for code in entry.get("atc", ())}
    return known


def count_resources(resources: list[dict[str, Any]], known: set[tuple[str, str]]) -> Iterator[Row]:
    """Rows of everything known in a list of FHIR resources."""
    for body in resources:
        who = body.get("subject", {}).get("reference", "").replace("urn:uuid:", "Patient/")
        medicine = body.get("medicationCodeableConcept")
        day = (body.get("effectiveDateTime") or body.get("whenHandedOver") or body.get("authoredOn") or "")[:10]
        for part in [body, *body.get("component", ())] if body["resourceType"] == "Observation" else [body]:
            concept = medicine or part.get("code", {})
            for coding in concept.get("coding", ()):
                if (coding.get("system"), coding["code"]) in known:
                    quantity = part.get("valueQuantity") or part.get("quantity") or {}
                    value = quantity.get("value", part.get("valueString", ""))
                    yield who, coding["code"], plain(value), quantity.get("unit", ""), day


def plain(value: Any) -> str:
    """One text for equal numbers."""
    return f"{Decimal(str(value)).normalize():f}" if not isinstance(value, str) else value


def resources_of(raw: bytes) -> list[dict[str, Any]]:
    """The resources of a file, numbers as printed."""
    body = json.loads(raw, parse_float=Decimal)
    return [entry["resource"] for entry in body["entry"]] if body["resourceType"] == "Bundle" else [body]


if __name__ == "__main__":
    counted = Counter(
        row[1] for path in sys.argv[1:] for row in count_resources(resources_of(Path(path).read_bytes()), known_codes())
    )
    sys.stdout.write("".join(f"{count:6} {code}\n" for code, count in counted.most_common()))
