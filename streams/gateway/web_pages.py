"""What the OpenAPI document of the web intake says (version 3.1, served at `/openapi.json`)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from schemas.rejection import RejectionReason

DESCRIPTION: Final = (
    "FHIR R4 resources and Bundles, and CloudEvents of the project's own types. 202 means that the message is durably "
    "kept. What cannot be used is named in the answer, never quoted. Credentials that are for several feeds name one in "
    "the query: `?feed=lab`."
)

NOT_READABLE: Final = frozenset(
    {
        RejectionReason.NOT_JSON,
        RejectionReason.UNDECODABLE,
        RejectionReason.TOO_DEEP,
        RejectionReason.TOO_LARGE,
        RejectionReason.DUPLICATE_KEY,
        RejectionReason.NUMBER_UNREADABLE,
    }
)
"""What is answered 400: no JSON, or JSON that two readers could understand differently. Else 422."""

_SENTENCES: Final = {
    202: "Kept with all copies.",
    400: "Not JSON that can be read without doubt, or an unusable header.",
    401: "No credentials that anybody knows.",
    403: "These credentials are not for this feed, or not from this address.",
    404: "No such page.",
    405: "No such method here.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "Not JSON, or packed.",
    422: "Nothing in it can be used, or the Idempotency-Key is another body's.",
    429: "Too many requests a second.",
    500: "A fault of ours; not kept for certain.",
    503: "Not kept for certain: send it again.",
}

_OBJECT: Final[dict[str, Any]] = {"type": "object"}
_OUTCOME: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}},
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["status"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}},
}


def responses(*, is_fhir: bool) -> dict[int | str, dict[str, Any]]:
    """Every answer of a page."""
    found: dict[int | str, dict[str, Any]] = {}
    for status, sentence in _SENTENCES.items():
        if is_fhir:
            content = {"application/fhir+json": {"schema": _OUTCOME}}
        else:
            kind = "application/problem+json" if status >= 400 else "application/json"
            content = {kind: {"schema": _PROBLEM}}
        found[status] = {"description": sentence, "content": content}
    return found


def request(path: str) -> dict[str, Any]:
    """Body and parameters of a page."""
    kinds = (
        ("application/fhir+json", "application/json")
        if path.startswith("/fhir")
        else ("application/cloudevents+json", "application/json")
    )
    parameters: list[dict[str, Any]] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key and body again within 72 hours is answered and not kept again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 199, "pattern": "^[!-~]+$"},
        },
    ]
    for name in ("kind", "number"):
        if "{" + name + "}" in path:
            schema = {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}
            parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    return {
        "requestBody": {"required": True, "content": {kind: {"schema": _OBJECT} for kind in kinds}},
        "parameters": parameters,
    }


def secure(app: FastAPI) -> None:
    """Every page needs a token or a client certificate."""
    made = app.openapi

    def with_security() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "certificate": {"type": "mutualTLS"},
        }
        document["security"] = [{"token": []}, {"certificate": []}]
        return document

    app.openapi = with_security  # type: ignore[method-assign]
