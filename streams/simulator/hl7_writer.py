"""Happenings as HL7 v2.5.1: one message a happening, one `.hl7` file a patient.

Results and statements go as ORU^R01, medicines as RDS^O13 and RDE^O11, conditions as PPR^PC1, procedures as ADT^A08,
vaccines as VXU^V04, people as ADT^A28. A message sent twice is the same bytes twice, as from a real sender that had no
answer. Written by hand with no HL7 library, as the FHIR twin is: readers are tested against other people's software.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

from schemas.values.coding import ATC, CVX, ICD10, LOINC, OWN, RXNORM, SNOMED
from streams.simulator import codebook
from streams.simulator.happenings import (
    CodedConcept,
    Described,
    Diagnosed,
    Dispensed,
    Happening,
    Ordered,
    Performed,
    Reported,
    Result,
    ResultStatus,
    Stated,
    Vaccinated,
    What,
)
from streams.simulator.people import AUTHORITY

_SYSTEMS: Final = {LOINC: "LN", RXNORM: "RXNORM", ATC: "ATC", SNOMED: "SCT", ICD10: "I10", CVX: "CVX", OWN: "99MYW"}
_STATUS: Final = {ResultStatus.PRELIMINARY: "P", ResultStatus.FINAL: "F", ResultStatus.CORRECTED: "C"}
_INJECTED: Final = frozenset({codebook.ENOXAPARIN, codebook.FILGRASTIM})
_PATTERN: Final = {"daily": "QD", "weekly": "Q1W"}
_ESCAPES: Final = {
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "~": "\\R\\",
    "&": "\\T\\",
    "\r": "\\.br\\",
    "\n": "\\.br\\",
}


def message_of(happening: Happening) -> bytes:
    """One message, its segments ended by CR, in UTF-8."""
    what = happening.what
    kind, segments = _content(what)
    sent = _time(happening.known_at)
    head = [
        f"MSH|^~\\&|WARD|SYNTHETIC|MYELOWATCH|HERE|{sent}||{kind}|{_text(happening.message)}|P|2.5.1||||||UNICODE UTF-8",
        *([f"EVN||{sent}"] if kind.startswith("ADT") else []),
        _person(happening.patient, what if isinstance(what, Described) else None),
    ]
    return ("\r".join([*head, *segments]) + "\r").encode()


def _content(what: What) -> tuple[str, list[str]]:
    match what:
        case Reported():
            return "ORU^R01^ORU_R01", _report(what)
        case Stated():
            return "ORU^R01^ORU_R01", _statement(what)
        case Dispensed():
            return "RDS^O13^RDS_O13", _dispense(what)
        case Ordered():
            return "RDE^O11^RDE_O11", _order(what)
        case Described():
            return "ADT^A28^ADT_A05", []
        case Diagnosed():
            return "PPR^PC1^PPR_PC1", _problems(what)
        case Performed():
            return "ADT^A08^ADT_A01", [_procedure(what)]
        case Vaccinated():
            return "VXU^V04^VXU_V04", _vaccination(what)


def hl7_messages(happenings: Iterable[Happening]) -> Iterator[tuple[Happening, bytes]]:
    """Each happening with its bytes; one of a name that came before is that message once more."""
    sent: dict[str, bytes] = {}
    for happening in happenings:
        yield happening, sent.setdefault(happening.message, message_of(happening))


def write_hl7(happenings: Iterable[Happening], folder: Path) -> list[Path]:
    """Write `<patient>.hl7` for every patient into an existing folder; the paths are answered."""
    by_patient: dict[str, list[bytes]] = {}
    for happening, message in hl7_messages(happenings):
        by_patient.setdefault(happening.patient, []).append(message)
    paths = []
    for patient, messages in sorted(by_patient.items()):
        path = folder / f"{patient}.hl7"
        path.write_bytes(b"".join(messages))
        paths.append(path)
    return paths


def _person(identifier: str, described: Described | None) -> str:
    pid = f"PID|1||{_text(identifier)}^^^{_text(AUTHORITY)}^MR"
    if described is None:
        return pid
    sex = "F" if described.sex == "female" else "M"
    return f"{pid}||||{_day(described.birth)}|{sex}|||^^^^^{described.country}"


def _report(report: Reported) -> list[str]:
    tests = {result.test for result in report.results}
    panel = "57021-8^CBC W Auto Differential panel^LN" if codebook.PLATELETS in tests else "^Chemistry"
    if report.is_vital_sign:
        panel = "^Vital signs"
    status = _STATUS[report.status]
    segments = [_request(report.report, panel, report.collected_at, report.issued_at, status)]
    for number, result in enumerate(report.results, start=1):
        segments.append(_result(number, result, status))
        if result.note is not None:
            segments.append(f"NTE|1|L|{_text(result.note)}")
    segments.append(f"SPM|1|^{_text(report.specimen)}||WB^Blood^HL70487")
    return segments


def _request(number: str, panel: str, collected: datetime, issued: datetime, status: str) -> str:
    fields = ["OBR", "1", "", _text(number), panel, "", "", _time(collected), *[""] * 14, _time(issued), "", "", status]
    return "|".join(fields)


def _result(number: int, result: Result, status: str) -> str:
    unit = "" if result.unit is None else _text(result.unit)
    kind = "ST" if result.test in codebook.ANSWERED_IN_WORDS else "NM"
    value, limits = _text(result.value), _text(_range(result))
    return f"OBX|{number}|{kind}|{_concept(result.test)}||{value}|{unit}|{limits}||||{status}"


def _range(result: Result) -> str:
    """The laboratory's own range as it is printed: both limits, or the upper one alone."""
    if result.high is None:
        return ""
    return f"<{result.high}" if result.low is None else f"{result.low}-{result.high}"


def _statement(stated: Stated) -> list[str]:
    status = "C" if stated.is_revised else "F"
    kind, value = "ST", ""
    if stated.value_code is not None:
        kind, value = "CWE", f"{_text(stated.value_code)}^^99MYW"
    elif stated.value_number is not None:
        kind, value = "NM", stated.value_number
    elif stated.value_date is not None:
        kind, value = "DT", _day(stated.value_date)
    return [
        _request(stated.statement, "^Statement", stated.stated_at, stated.stated_at, status),
        f"OBX|1|{kind}|{_text(stated.code)}^^99MYW||{value}||||||{status}",
    ]


def _dispense(dispensed: Dispensed) -> list[str]:
    rxd = ["RXD", "1", _concept(dispensed.medicine), _time(dispensed.handed_over_at), dispensed.quantity]
    rxd += ["", "", _text(dispensed.dispense), *[""] * 8, dispensed.strength_mg, "mg"]
    if dispensed.is_prophylaxis:
        rxd += ["", "", "", "purpose-prophylaxis^^99MYW"]
    return [
        f"ORC|RE|{_text(dispensed.dispense)}",
        _timing(dispensed.dose_mg, dispensed.schedule, days=dispensed.days_supply),
        "|".join(rxd),
        _route(dispensed.medicine),
    ]


def _order(ordered: Ordered) -> list[str]:
    return [
        f"ORC|NW|{_text(ordered.order)}|||||||{_time(ordered.authored_at)}",
        f"RXE||{_concept(ordered.medicine)}|{ordered.dose_mg}||mg",
        _timing(ordered.dose_mg, ordered.schedule, begin=ordered.authored_at, end=ordered.until),
        _route(ordered.medicine),
    ]


def _route(medicine: CodedConcept) -> str:
    return "RXR|SC^Subcutaneous^HL70162" if medicine in _INJECTED else "RXR|PO^Oral^HL70162"


def _timing(
    dose_mg: str,
    schedule: str,
    *,
    days: int | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> str:
    span = "" if days is None else f"{days}^d"
    times = [_time(each) if each is not None else "" for each in (begin, end)]
    return "|".join(["TQ1", "1", f"{dose_mg}^mg", _PATTERN[schedule], "", "", span, *times]).rstrip("|")


def _problems(diagnosed: Diagnosed) -> list[str]:
    """CWE has room for two codes of one problem, which is all the ward ever sends."""
    codes = "^".join(_concept(code) for code in diagnosed.codes[:2])
    abated = "" if diagnosed.abated is None else _day(diagnosed.abated)
    state = "active" if diagnosed.abated is None else "resolved"
    fields = ["PRB", "AD", _time(diagnosed.recorded_at), codes, _text(diagnosed.condition), "", "", "", "", abated]
    fields += ["", "", "", "confirmed", state, "", _day(diagnosed.onset)]
    return ["|".join(fields)]


def _procedure(performed: Performed) -> str:
    fields = ["PR1", "1", "", _concept(performed.code), "", _time(performed.performed_at)]
    return "|".join([*fields, *[""] * 13, _text(performed.procedure)])


def _vaccination(vaccinated: Vaccinated) -> list[str]:
    given = _time(vaccinated.given_at)
    return [
        f"ORC|RE||{_text(vaccinated.vaccination)}",
        "|".join(["RXA", "0", "1", given, given, _concept(vaccinated.vaccine), "999", *[""] * 13, "CP", "A", given]),
    ]


def _concept(concept: CodedConcept) -> str:
    return f"{_text(concept.code)}^{_text(concept.display)}^{_SYSTEMS[concept.system]}"


def _time(instant: datetime) -> str:
    fraction = f".{instant.microsecond // 100:04d}" if instant.microsecond else ""
    return f"{instant:%Y%m%d%H%M%S}{fraction}{instant:%z}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _text(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)
