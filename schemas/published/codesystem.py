"""The project's own CodeSystem as a FHIR resource, for terminology servers."""

from __future__ import annotations

from typing import Any

from schemas.codes.tables import CodeTables
from schemas.values.coding import OWN


def build_code_system(codes: CodeTables, version: str) -> dict[str, Any]:
    """Statements first, then the ids of conditions and procedures, which are codes of the system too."""
    concepts = [
        {"code": statement.code, "display": statement.title, "definition": statement.meaning}
        for statement in codes.statements.values()
    ]
    taken = {concept["code"] for concept in concepts}
    for name, title in (*codes.concept_titles.items(), *codes.procedure_titles.items()):
        if name not in taken:
            concepts.append({"code": name, "display": title})
            taken.add(name)
    return {
        "resourceType": "CodeSystem",
        "id": "myelowatch-codes",
        "url": OWN,
        "version": version,
        "name": "MyelowatchCodes",
        "title": "Facts that no standard resource names",
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
        "count": len(concepts),
        "concept": concepts,
    }
