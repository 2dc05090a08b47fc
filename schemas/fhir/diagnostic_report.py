"""DiagnosticReport: which results belong together; as an imaging study, a procedure."""

from __future__ import annotations

from typing import Final

from schemas.events import FactStatus, ProcedureRecorded
from schemas.fhir.elements import Body, group_of, groups_of, text_of
from schemas.fhir.observation import STATUS
from schemas.fhir.resource import Message, Report, Resource, derived_key, join
from schemas.fhir.rows import Row, elements_of
from schemas.reading.entries import PlacedFact
from schemas.reading.result import name_part
from schemas.reading.stamp import short_id
from schemas.reading.timing import from_issue
from schemas.rejection import IgnoreReason, RejectionReason

ROWS: Final = (
    Row("which results are decided on together", ("result", "contained"), "results[] of one report"),
    Row("report number", ("DiagnosticReport.id",), "report_id"),
    Row("specimen of all its results", ("specimen",), "specimen"),
    Row(
        "when collected, for contained results that do not say it",
        ("effectiveDateTime", "effectivePeriod"),
        "collected_at",
    ),
    Row("when issued, for results that do not say it", ("issued",), "issued_at"),
    Row("how firm, for contained results that do not say it", ("status",), "results[].status"),
    Row("an imaging study (as a procedure)", ("code",), "fact.codes"),
    Row("who", ("subject",), "patient"),
)
READS: Final = elements_of(ROWS)


def collect(body: Body, message: Message, position: str) -> None:
    """Remember which Observations of the message this report names."""
    specimens = groups_of(body, "specimen")
    specimen = text_of(specimens[0], "reference") if specimens else None
    report = Report(key=f"DiagnosticReport/{short_id(text_of(body, 'id') or position)}", body=body, specimen=specimen)
    for reference in groups_of(body, "result"):
        named = text_of(reference, "reference")
        found = message.find(named, body) if named is not None else None
        if found is not None:
            message.reports.setdefault(id(found), report)
        else:
            message.notes.leave("DiagnosticReport.result not in the message")


def collect_panel(body: Body, message: Message, position: str) -> None:
    """Remember which Observations a panel names; a report that names them comes first."""
    key = f"Observation/{short_id(text_of(body, 'id') or position)}"
    specimen = text_of(group_of(body, "specimen"), "reference")
    report = message.reports.get(id(body)) or Report(key=key, body=body, specimen=specimen)
    for reference in groups_of(body, "hasMember"):
        named = text_of(reference, "reference")
        found = message.find(named, body) if named is not None else None
        if found is not None:
            message.reports.setdefault(id(found), report)


def read(resource: Resource) -> list[PlacedFact]:
    """A report is not a fact, unless its code names an imaging study the rules look for."""
    codings = resource.codings("code")
    concepts = resource.codes.procedures_of(codings)
    if not concepts:
        resource.notes.ignore(IgnoreReason.PANEL, name_part(codings[0].code) if codings else "report without a code")
        return []
    status = STATUS.get(text_of(resource.body, "status") or "", FactStatus.PRELIMINARY)
    start, end, usable = resource.choice_time("effective")
    issued, issued_usable = resource.time("issued")
    if not (usable and issued_usable):
        return []
    when = join(start, end) if start is not None else from_issue(issued) if issued is not None else None
    if when is None and status is FactStatus.WITHDRAWN:
        when = resource.stand_in
    if when is None:
        resource.reject(RejectionReason.TIME_MISSING, "DiagnosticReport has neither effective[x] nor issued")
        return []
    stamp = resource.stamp(resource.fact_id(fallback=derived_key(when, codings)), when, status, issued=issued)
    fact = ProcedureRecorded(**stamp, concepts=concepts, codes=codings, ended=end)
    return [resource.place(fact, issued)]
