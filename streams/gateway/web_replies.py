"""What a client of the web intake is told: an OperationOutcome where it speaks FHIR, else problem+json (RFC 9457).

Sentences name the place and the fault; they never quote what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson

from schemas.rejection import Rejection, RejectionReason

FHIR_JSON: Final = "application/fhir+json"
PROBLEM_JSON: Final = "application/problem+json"
MOST_ISSUES: Final = 100

_ISSUE_CODES: Final = {
    RejectionReason.NO_PATIENT: "required",
    RejectionReason.NO_IDENTITY: "required",
    RejectionReason.TIME_MISSING: "required",
    RejectionReason.VALUE_MISSING: "required",
    RejectionReason.ZONE_MISSING: "required",
    RejectionReason.TIME_UNREADABLE: "value",
    RejectionReason.NUMBER_UNREADABLE: "value",
    RejectionReason.UNSUPPORTED_TYPE: "not-supported",
    RejectionReason.UNKNOWN_MODIFIER: "extension",
    RejectionReason.CONTROL_ID_REUSED: "duplicate",
    RejectionReason.TOO_LARGE: "too-long",
    RejectionReason.TOO_DEEP: "too-costly",
}
_STATUS_CODES: Final = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    503: "transient",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One line of an answer."""

    text: str
    code: str = "invalid"
    severity: str = "error"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, what is said, and further headers."""

    status: int
    issues: tuple[Issue, ...]
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, *, is_fhir: bool) -> bytes:
        """The bytes of the answer."""
        return orjson.dumps(self._outcome() if is_fhir else self._problem())

    def media_type(self, *, is_fhir: bool) -> str:
        """The content type of the answer."""
        if is_fhir:
            return FHIR_JSON
        return PROBLEM_JSON if self.status >= HTTPStatus.BAD_REQUEST else "application/json"

    def _outcome(self) -> dict[str, Any]:
        issues = []
        for each in self.issues[:MOST_ISSUES]:
            issue: dict[str, Any] = {"severity": each.severity, "code": each.code, "diagnostics": each.text}
            if each.place:
                issue["expression"] = [each.place]
            issues.append(issue)
        return {"resourceType": "OperationOutcome", "issue": issues}

    def _problem(self) -> dict[str, Any]:
        details = [
            {"detail": each.text, **({"pointer": each.place} if each.place else {})}
            for each in self.issues[:MOST_ISSUES]
        ]
        if self.status < HTTPStatus.BAD_REQUEST:
            return {"status": self.status, "kept": True, "issues": details}
        first = self.issues[0].text if self.issues else HTTPStatus(self.status).phrase
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": first,
            "issues": details,
        }


def refuse(status: int, text: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One refusal in one sentence."""
    return Reply(status, (Issue(text, code or _STATUS_CODES.get(status, "invalid")),), headers or {})


def issues_of(rejections: Iterable[Rejection], severity: str) -> tuple[Issue, ...]:
    """What a reader could not use, for the sender's operator."""
    return tuple(
        Issue(
            f"{each.reason.value}: {each.detail}", _ISSUE_CODES.get(each.reason, "invalid"), severity, place=each.part
        )
        for each in rejections
    )
