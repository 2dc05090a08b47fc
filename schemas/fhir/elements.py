"""Elements of a FHIR resource by name, of the type the standard gives them, or nothing.

A resource comes from outside: any element may be of any type. These answer None or empty
where the type is wrong, so that no reader needs to expect an exception.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from schemas.codes.tables import CodeTables
from schemas.reading.stamp import build_coding
from schemas.values import Coding

Body = dict[str, Any]

LONGEST_CODE = 200


def text_of(body: Body, *names: str) -> str | None:
    """The first of the named elements that is a text with something in it."""
    for name in names:
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None


def number_of(body: Body, name: str) -> Decimal | None:
    """A number exactly as printed."""
    value = body.get(name)
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def group_of(body: Body, name: str) -> Body:
    """A complex element, empty where it is absent or something else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def groups_of(body: Body, name: str) -> list[Body]:
    """A repeating complex element; one alone counts as a list of one."""
    value = body.get(name)
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def codings_in(concept: Body, codes: CodeTables) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept (or of the concept of an R5 CodeableReference)."""
    inner = concept.get("concept")
    if isinstance(inner, dict):
        concept = inner
    return tuple(coding for item in groups_of(concept, "coding") if (coding := _coding(item, codes)) is not None)


def coding_of(body: Body, name: str, codes: CodeTables) -> tuple[Coding, ...]:
    """A plain Coding element."""
    coding = _coding(group_of(body, name), codes)
    return (coding,) if coding is not None else ()


def concept_codings(body: Body, name: str, codes: CodeTables) -> tuple[Coding, ...]:
    """The codings of a named CodeableConcept element, repeating or not."""
    return tuple(coding for concept in groups_of(body, name) for coding in codings_in(concept, codes))


def first_code(body: Body, name: str) -> str | None:
    """The code of a status that is a CodeableConcept, or a plain code in other versions of the standard."""
    plain = text_of(body, name)
    if plain is not None:
        return plain
    for item in groups_of(group_of(body, name), "coding"):
        code = text_of(item, "code")
        if code is not None:
            return code
    return None


def _coding(item: Body, codes: CodeTables) -> Coding | None:
    code, system, display = text_of(item, "code"), text_of(item, "system") or "", text_of(item, "display")
    if code is None or len(code) > LONGEST_CODE or len(system) > LONGEST_CODE:
        return None
    return build_coding(codes.uri_of(system), code, display[:LONGEST_CODE] if display is not None else None)
