"""The example timeline of a rule: facts by day from `rules/pages/<rule>.yaml`, run through the real step.

Nothing of what an example prints is written by hand: each fact becomes one of our own events, is read by
the reader of those events, and is put through `rules.watch.step`, with time passing in between. The same
code serves `docs/rules/`, `rules show` and the test that runs every example.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import yaml

from rules.answers import Found
from rules.catalogue import BY_ID
from rules.entry import Form
from rules.record import Record
from rules.view import View
from rules.watch import Heard, step
from schemas.alerts import Severity, Transition
from schemas.codes import tables
from schemas.events import Entry, EntryKind
from schemas.inlet import (
    Administration,
    AdverseEvent,
    Allergy,
    Code,
    Condition,
    Dispense,
    Encounter,
    HomeMedicine,
    InletEvent,
    LabReport,
    LabResult,
    MedicineCode,
    Order,
    PatientDescription,
    PatientFact,
    PatientIdentity,
    Procedure,
    Statement,
    Vaccine,
    read_event,
    write_structured,
)
from schemas.reading import ReadingContext

if TYPE_CHECKING:
    from rules.policy.reading import Policy

ZONE: Final = ZoneInfo("Asia/Seoul")
DAY_1: Final = datetime(2026, 6, 1, tzinfo=ZONE)
LAB_HOURS: Final = 2
"""A laboratory's result is known this long after the specimen was taken, unless the example says otherwise."""

_OWN: Final = "urn:myelowatch:codes"
_LOINC: Final = "http://loinc.org"
_CVX: Final = "http://hl7.org/fhir/sid/cvx"
_USUAL_CBC: Final = {
    "wbc": "5.0 10*3/uL", "anc": "2.5 10*3/uL", "platelets": "180 10*3/uL", "haemoglobin": "11.5 g/dL",
}  # fmt: skip
_MEDICINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9|:/.-]+)(?: (?P<dose>[0-9.]+) mg)?(?: x (?P<quantity>[0-9.]+))?(?: for (?P<days>[0-9]+) days)?"
)
_RESULT: Final = re.compile(r"(?P<value>[^\s]+)(?: (?P<unit>[^\s(]+))?(?: \((?P<low>[0-9.]*)-(?P<high>[0-9.]*)\))?")
_MEDICINES: Final = ("dispensed", "given", "ordered", "taken_at_home")
_OTHERS: Final = (
    "stated", "condition", "adverse_event", "allergy", "procedure", "vaccine", "encounter", "described",
)  # fmt: skip
_VERBS: Final = ("cbc", "lab", *_MEDICINES, *_OTHERS)
_DETAILS: Final = frozenset(
    (
        "day", "hour", "known_day", "known_hour", "status", "name", "specimen", "value", "number", "value_day",
        "until_day", "ended_day", "grade", "active", "schedule", "purpose", "cycle_day_1", "times_per_day", "remark",
        "strength", "related_to",
    )
)  # fmt: skip
_CONTEXT: Final = ReadingContext(feed="example", zone=ZONE, secret=b"the examples of the rules", obeys_known_at=True)


class ExampleUnusable(ValueError):
    """A page file cannot be used; the message names the file and the step."""


@dataclass(frozen=True, slots=True)
class ExampleStep:
    """One thing that happens: when, when it could be known, its event (None where only time passes), in words."""

    at: datetime
    known_at: datetime
    event: InletEvent | None
    words: str


@dataclass(frozen=True, slots=True)
class RulePage:
    """What stands in the page file of a rule: what its sources say, in our words, and its example."""

    rule: str
    says: Mapping[str, str]
    """By citation, as the policy writes it."""
    story: str
    about: tuple[str, ...]
    """Rules whose transitions the example shows, the rule itself first."""
    steps: tuple[ExampleStep, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One line of what an example brings about: a transition, or the note of a rule of form `context`."""

    at: datetime
    rule: str
    words: str
    transition: Transition | None = None


def rules_with_a_page() -> tuple[str, ...]:
    """The rules that have a page file, in the order of their names."""
    folder = files("rules").joinpath("pages")
    return tuple(sorted(each.name[:-5] for each in folder.iterdir() if each.name.endswith(".yaml")))


def read_page(rule: str) -> RulePage | None:
    """The page file of a rule; None where there is none yet."""
    path = files("rules").joinpath("pages", f"{rule}.yaml")
    if not path.is_file():
        return None
    return parse_page(rule, path.read_text(encoding="utf-8"))


def parse_page(rule: str, text: str) -> RulePage:
    """Read one page file; raises `ExampleUnusable` with the step that is wrong."""
    written = yaml.safe_load(text)
    if not isinstance(written, dict) or not {"says", "story", "steps"} <= set(written):
        raise ExampleUnusable(f"{rule}: a page file has `says`, `story` and `steps`")
    if odd := set(written) - {"says", "story", "steps", "about", "patient"}:
        raise ExampleUnusable(f"{rule}: unknown {', '.join(sorted(odd))}")
    who = PatientIdentity(authority="urn:example", id=f"P-{rule}")
    try:
        steps = [_describe(who, written.get("patient") or {})]
        for place, row in enumerate(written["steps"]):
            steps.append(_read_step(who, row, f"{rule}/{place}"))
    except (KeyError, TypeError, ValueError) as error:
        raise ExampleUnusable(f"{rule}: {error}") from None
    return RulePage(
        rule=rule,
        says={str(cited): " ".join(str(sentence).split()) for cited, sentence in written["says"].items()},
        story=" ".join(str(written["story"]).split()),
        about=(rule, *written.get("about", ())),
        steps=tuple(steps),
    )


# --- a step of the file to one of our events ---


def instant(day: float, hour: float) -> datetime:
    """Day 1 is the first day of cycle 1; there is no day 0."""
    return DAY_1 + timedelta(days=day - 1 if day > 0 else day, hours=hour)


def day_of(at: datetime) -> int:
    """The day an instant lies on."""
    days = (at.astimezone(ZONE).date() - DAY_1.date()).days
    return days + 1 if days >= 0 else days


def _describe(who: PatientIdentity, row: Mapping[str, Any]) -> ExampleStep:
    birth, sex = str(row.get("birth", "1958-03-01")), str(row.get("sex", "male"))
    race = tuple(_code(each, "urn:oid:2.16.840.1.113883.6.238") for each in row.get("race", ()))
    fact = PatientDescription.model_validate(
        {"birth_date": birth, "sex": sex, "country": row.get("country", "KR"), "race": race}
    )
    at = instant(float(row.get("day", -30)), 8)
    years = (DAY_1.date() - date.fromisoformat(birth)).days // 365.25
    words = f"{sex}, {years:.0f} years" if len(birth) == len("1958-03-01") else f"{sex}, born {birth}"
    return ExampleStep(at, at, PatientFact(patient=who, id="who", recorded_at=at.isoformat(), fact=fact), words)


def _read_step(who: PatientIdentity, row: Mapping[str, Any], event_id: str) -> ExampleStep:
    verbs = [verb for verb in _VERBS if verb in row]
    if odd := set(row) - set(_VERBS) - _DETAILS:
        raise ValueError(f"{event_id}: unknown {', '.join(sorted(odd))}")
    at = instant(float(row["day"]), float(row.get("hour", 9)))
    is_lab = bool(verbs) and set(verbs) <= {"cbc", "lab"}
    if "known_day" in row:
        known = instant(float(row["known_day"]), float(row.get("known_hour", 12)))
    else:
        known = at + timedelta(hours=LAB_HOURS) if is_lab else at
    if not verbs:
        return ExampleStep(at, known, None, "time passes")
    if is_lab:
        return _read_report(who, row, at, known)
    if len(verbs) > 1:
        raise ValueError(f"{event_id}: one step says one thing, not {' and '.join(verbs)}")
    verb = verbs[0]
    name = str(row.get("name", event_id))
    if verb in _MEDICINES:
        return _read_medicine(who, verb, row, at, known, name)
    return _read_fact(who, verb, row, at, known, name)


def _read_report(who: PatientIdentity, row: Mapping[str, Any], at: datetime, known: datetime) -> ExampleStep:
    values = dict(row.get("lab") or {})
    if "cbc" in row:
        values = {**_USUAL_CBC, **(row["cbc"] or {}), **values}
    specimen = str(row.get("specimen", f"S{row['day']}-{row.get('hour', 9)}"))
    status = str(row.get("status", "final"))
    results, words = [], []
    for name, text in values.items():
        if text is None:
            continue
        read = _RESULT.fullmatch(str(text))
        if read is None:
            raise ValueError(f"{name}: {text!r} is not `value unit (low-high)`")
        system, code = name.split("|") if "|" in name else (_LOINC, tables().loinc_codes_of(name)[0])
        results.append(
            LabResult.model_validate(
                {
                    "code": code, "system": system, "id": f"{specimen}-{name}", "value": read["value"],
                    "unit": read["unit"], "status": status, "low": read["low"] or None, "high": read["high"] or None,
                    "text": row.get("remark"),
                }
            )
        )  # fmt: skip
        if not ("cbc" in row and name in _USUAL_CBC and text == _USUAL_CBC[name]):
            words.append(f"{_analyte(name)} {text}")
    report = LabReport(
        patient=who, report_id=specimen, specimen=specimen, collected_at=at.isoformat(), issued_at=known.isoformat(),
        results=tuple(results),
    )  # fmt: skip
    if "cbc" in row:
        words.insert(0, "blood count" if words else "blood count, all as usual")
    notes = [status] if status != "final" else []
    notes += [f"remark: {row['remark']}"] if "remark" in row else []
    return ExampleStep(at, known, report, ", ".join(words) + (f" ({', '.join(notes)})" if notes else ""))


def _read_medicine(
    who: PatientIdentity, verb: str, row: Mapping[str, Any], at: datetime, known: datetime, name: str
) -> ExampleStep:
    read = _MEDICINE.fullmatch(str(row[verb]))
    if read is None:
        raise ValueError(f"{verb}: {row[verb]!r} is not `medicine N mg x units for N days`")
    code = _code(read["name"], _OWN)
    dose = Decimal(read["dose"]) if read["dose"] else None
    strength = Decimal(str(row["strength"])) if "strength" in row else dose
    until = _until(row)
    common: dict[str, Any] = {
        "patient": who, "id": name, "dose_mg": dose, "status": row.get("status", "final"),
        "recorded_at": known.isoformat(), "schedule": row.get("schedule"), "purpose": row.get("purpose"),
        "times_per_day": row.get("times_per_day"),
        "medicine": MedicineCode(system=code.system, code=code.code, strength_mg=strength),
    }  # fmt: skip
    supply = {"quantity": read["quantity"], "days_supply": int(read["days"]) if read["days"] else None}
    event: InletEvent
    if verb == "dispensed":
        event = Dispense.model_validate(
            {**common, **supply, "handed_over_at": at.isoformat(), "cycle_day_1": row.get("cycle_day_1")}
        )
    elif verb == "given":
        event = Administration.model_validate(
            {**common, "given_at": at.isoformat(), "cycle_day_1": row.get("cycle_day_1")}
        )
    elif verb == "ordered":
        event = Order.model_validate({**common, **supply, "ordered_at": at.isoformat(), "ends_at": until})
    else:
        event = HomeMedicine.model_validate({**common, "taken_from": at.isoformat(), "taken_until": until})
    notes = [str(row[each]) for each in ("status", "schedule", "purpose") if each in row]
    notes += [f"until day {row['until_day']}"] if "until_day" in row else []
    words = f"{verb.replace('_', ' ')}: {row[verb]}" + (f" ({', '.join(notes)})" if notes else "")
    return ExampleStep(at, known, event, words)


def _read_fact(
    who: PatientIdentity, verb: str, row: Mapping[str, Any], at: datetime, known: datetime, name: str
) -> ExampleStep:
    time, until, said = at.isoformat(), _until(row), row[verb]
    if verb == "stated":
        fact: dict[str, Any] = {
            "code": said, "stated_at": time, "value_code": row.get("value"), "value_number": row.get("number"),
            "value_time": instant(float(row["value_day"]), 9).isoformat() if "value_day" in row else None,
            "until": until,
        }  # fmt: skip
        made: Any = Statement.model_validate(fact)
    elif verb == "condition":
        fact = {
            "codes": (_code(said, _OWN),),
            "began_at": time,
            "ended_at": until,
            "is_active": row.get("active", True),
        }
        made = Condition.model_validate(fact)
    elif verb == "adverse_event":
        related = tuple(
            MedicineCode(system=each.system, code=each.code)
            for each in (_code(medicine, _OWN) for medicine in row.get("related_to", ()))
        )
        fact = {"codes": (_code(said, _OWN),), "began_at": time, "ended_at": until, "grade": row.get("grade")}
        made = AdverseEvent.model_validate({**fact, "related_to": related})
    elif verb == "allergy":
        made = Allergy(codes=(_code(said, _OWN),), began_at=time)
    elif verb == "procedure":
        made = Procedure(codes=(_code(said, _OWN),), began_at=time, ended_at=until)
    elif verb == "vaccine":
        made = Vaccine(codes=(_code(said, _CVX),), given_at=time)
    elif verb == "encounter":
        made = Encounter.model_validate({"setting": said, "began_at": time, "ended_at": until})
    else:
        made = PatientDescription.model_validate(said)
        name, said = "who", ", ".join(f"{key} {value}" for key, value in said.items())
    event = PatientFact.model_validate(
        {
            "patient": who,
            "id": name,
            "recorded_at": known.isoformat(),
            "status": row.get("status", "final"),
            "fact": made,
        }
    )
    notes = [str(row[each]) for each in ("value", "number", "status") if each in row]
    notes += [f"day {row['value_day']}"] if "value_day" in row else []
    notes += [f"grade {row['grade']}"] if "grade" in row else []
    notes += [f"until day {row[each]}" for each in ("until_day", "ended_day") if each in row]
    words = f"{verb.replace('_', ' ')}: {said}" + (f" ({', '.join(notes)})" if notes else "")
    return ExampleStep(at, known, event, words)


def _until(row: Mapping[str, Any]) -> str | None:
    day = row.get("until_day", row.get("ended_day"))
    return instant(float(day), 9).isoformat() if day is not None else None


def _code(text: str, system: str) -> Code:
    """`system|code`, or a code of the project's own, or of the system that is usual there."""
    if "|" in text:
        system, text = text.split("|")
    return Code(system=system, code=text)


def _analyte(name: str) -> str:
    if "|" in name:
        return name
    return {"anc": "ANC", "wbc": "WBC", "inr": "INR", "tsh": "TSH", "alt": "ALT", "ast": "AST"}.get(
        name, name.replace("-", " ")
    )


# --- running it ---


class _Ward:
    """The record of one patient, stepped through entries."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.record: Record | None = None
        self.offset = 0
        self.shelf: dict[str, bytes] = {}

    def hear(self, entry: Entry, known_at: datetime) -> tuple[Transition, ...]:
        heard = Heard(known_at, 0, self.offset)
        stepped = step(self.record, entry, heard, self.policy)
        if stepped.needs:
            stepped = step(self.record, entry, heard, self.policy, {name: self.shelf[name] for name in stepped.needs})
        self.shelf.update(stepped.segments or {})
        self.record, self.offset = stepped.record, self.offset + 1
        return stepped.transitions


def entries_of(page: RulePage) -> Iterator[tuple[Entry, datetime]]:
    """The entries of an example in the order in which they could be known; time passing is a tick."""
    for place, told in enumerate(sorted(page.steps, key=lambda each: each.known_at)):
        if told.event is None:
            yield Entry(kind=EntryKind.TICK, event_id="tick", known_at=told.known_at), told.known_at
            continue
        event_id = f"{page.rule}/{place}"
        body = write_structured(told.event, event_id=event_id, source="/example", known_at=told.known_at)
        reading = read_event(body, None, _CONTEXT)
        if reading.rejections or not reading.entries:
            lost = [each.detail for each in reading.rejections] or [each.what for each in reading.ignored]
            raise ExampleUnusable(f"{page.rule}: {told.words}: {'; '.join(lost)}")
        for entry in reading.entries:
            yield entry, told.known_at


def run_example(page: RulePage, policy: Policy) -> list[Said]:
    """Everything the rules it is about say, in order. A rule that is off in the policy is silent."""
    ward = _Ward(policy)
    said: list[Said] = []
    note: str | None = None
    entry = BY_ID[page.rule]
    for heard, known_at in entries_of(page):
        spoken = (each for each in ward.hear(heard, known_at) if each.rule in page.about)
        said.extend(Said(each.at, each.rule, _words(each), each) for each in spoken)
        if entry.form is Form.CONTEXT and ward.record is not None and ward.record.header.is_enrolled:
            now = _note(page.rule, View(ward.record.ledger, known_at, policy))
            if now != note:
                said.append(Said(known_at, page.rule, f"note: {now}" if now else "the note ends"))
                note = now
    return said


def _note(rule: str, view: View) -> str | None:
    answer = BY_ID[rule].assess(view)
    if not isinstance(answer, Found):
        return None
    titles = [f.title for f in answer.findings if view.policy.severity(rule, f.reason) is not None]
    return "; ".join(titles) or None


def switched_on(policy: Policy, rule: str) -> Policy:
    """The policy with a rule that is off everywhere turned on as info, to show what it would say."""
    terms = policy.rules[rule]
    changed = dataclasses.replace(terms, severity={"*": Severity.INFO})
    return dataclasses.replace(policy, rules={**policy.rules, rule: changed})


def is_on(policy: Policy, rule: str) -> bool:
    """Whether a policy gives a rule any severity."""
    terms = policy.rules.get(rule)
    return terms is not None and any(level is not None for level in terms.severity.values())


def _words(transition: Transition) -> str:
    reason = f", {transition.reason}" if transition.reason else ""
    provisional = ", provisional" if transition.provisional else ""
    return (
        f"{transition.transition.value} `{transition.rule}` ({transition.severity.value}{reason}{provisional}; "
        f"{transition.cause.value}): {transition.title}"
    )
