"""The examples of `examples.py` as HL7 v2 messages, and the fields each reader goes by; tests read both alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.hl7v2 import medicine_rows, observation, person, records
from schemas.hl7v2.rows import Row


@dataclass(frozen=True, slots=True)
class Hl7Example:
    """One fact as a message: `segments` follow MSH and PID."""

    type: str
    rows: tuple[Row, ...]
    segments: tuple[str, ...] = ()
    sent: str = "20260302104000+0900"
    person: str = ""
    """What PID says behind PID-3."""
    hint: str = ""

    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """What a line of the page says, to the fields it is read from."""
        return {row.says: row.fields for row in self.rows}

    @property
    def message(self) -> str:
        """The whole message, a segment a line."""
        head = f"MSH|^~\\&|LAB|HOSPITAL|||{self.sent}||{self.type}|EXAMPLE-1|P|2.5.1||||||UNICODE UTF-8"
        who = f"PID|1||1001^^^urn:example:hospital^MR{self.person}"
        return "\n".join((head, who, *self.segments))


_ORAL: Final = "RXR|PO^Oral^HL70162"


def _request(number: str, code: str, collected: str, issued: str) -> str:
    return "|".join(["OBR", "1", "", number, code, "", "", collected, *[""] * 14, issued, "", "", "F"])


def _empty(segment: str, **fields: str) -> str:
    """A segment by its field numbers (`_2="..."`), the others empty."""
    numbered = {int(name[1:]): value for name, value in fields.items()}
    return "|".join([segment, *(numbered.get(number, "") for number in range(1, max(numbered) + 1))])


HL7_EXAMPLES: Final[Mapping[str, Hl7Example]] = {
    "Who the patient is": Hl7Example(
        "ADT^A31^ADT_A05",
        person.PERSON_ROWS,
        sent="20260301090000+0900",
        person="||||19550714|F||2028-9^Asian^CDCREC|^^^^^KR",
    ),
    "Laboratory result, vital sign or score": Hl7Example(
        "ORU^R01^ORU_R01",
        observation.ROWS,
        (
            _request("R-77", "57021-8^CBC^LN", "20260302081500+0900", "20260302104000+0900"),
            "OBX|1|NM|751-8^Neutrophils^LN||0.9|10*3/uL|>1.5||||F",
            "SPM|1|^S-77",
        ),
        hint="All results of one OBR are decided on together. NTE is kept as text, and searched for platelet clumps only.",
    ),
    "Medicine handed over": Hl7Example(
        "RDS^O13^RDS_O13",
        medicine_rows.DISPENSE_ROWS,
        (
            "ORC|RE|O-5|d-5",
            "TQ1|1|25^mg|QD|||28^d",
            _empty(
                "RXD",
                _1="1",
                _2="643720^lenalidomide 25 mg^RXNORM",
                _3="20260302140000+0900",
                _4="21",
                _5="{capsule}",
                _7="d-5",
            ),
            _ORAL,
        ),
        sent="20260302140000+0900",
        hint="Where a site sends ORM^O01, OMP^O09 or RDE^O11 when it hands a medicine over, its field map says so "
        "(`dispenses`).",
    ),
    "Dose given": Hl7Example(
        "RAS^O17^RAS_O17",
        medicine_rows.ADMINISTRATION_ROWS,
        (
            "ORC|RE|a-9",
            _empty(
                "RXA",
                _1="0",
                _2="1",
                _3="20260302090000+0900",
                _4="20260302090000+0900",
                _5="H02AB02^dexamethasone^ATC",
                _6="40",
                _7="mg",
                _20="CP",
            ),
        ),
        sent="20260302091000+0900",
    ),
    "Medicine ordered or planned": Hl7Example(
        "RDE^O11^RDE_O11",
        medicine_rows.ORDER_ROWS,
        (
            "ORC|NW|o-3|||||||20260302110000+0900",
            _empty("RXE", _2="B01AB05^enoxaparin^ATC", _27="purpose-prophylaxis^^99MYW"),
            "TQ1|1||QD|||4^wk",
            "RXR|SC^Subcutaneous^HL70162",
        ),
        sent="20260302110000+0900",
    ),
    "Medicine taken at home": Hl7Example(
        "RDE^O11^RDE_O11",
        medicine_rows.HOME_ROWS,
        (
            "ORC|SN|h-2|||||||20260302093000+0900",
            _empty("RXE", _2="1191^aspirin^RXNORM", _3="100", _5="mg", _27="taken-at-home^^99MYW"),
            "TQ1|1|100^mg|QD||||20260110",
            _ORAL,
        ),
        sent="20260302093000+0900",
    ),
    "Condition, symptom or bleeding": Hl7Example(
        "PPR^PC1^PPR_PC1",
        records.CONDITION_ROWS,
        (
            _empty(
                "PRB",
                _1="AD",
                _2="20260221100000+0900",
                _3="128053003^^SCT^I80.2^^I10",
                _4="c-8",
                _13="confirmed",
                _14="active",
                _16="20260220",
            ),
        ),
        hint="In ADT messages a diagnosis comes as DG1; DG1-6 `F` is final, `A` and `W` are not settled yet.",
    ),
    "Adverse event with its grade": Hl7Example(
        "PPR^PC1^PPR_PC1",
        records.ADVERSE_EVENT_ROWS,
        (
            _empty(
                "PRB",
                _1="AD",
                _2="20260302090000+0900",
                _3="233604007^^SCT",
                _4="ae-1",
                _16="20260301000000+0900",
                _26="3^^CTCAE",
            ),
        ),
        hint="No segment names the medicine thought to have caused it: FHIR or our own event does.",
    ),
    "Allergy": Hl7Example(
        "ADT^A60^ADT_A60",
        records.ALLERGY_ROWS,
        (_empty("IAM", _1="1", _2="DA", _3="91939003^^SCT", _6="A", _7="al-1", _13="20260201090000+0900", _17="C"),),
        hint="AL1 in other ADT messages is read too; it has no number and no status.",
    ),
    "Procedure, transfusion or imaging study": Hl7Example(
        "ADT^A08^ADT_A01",
        records.PROCEDURE_ROWS,
        (_empty("PR1", _1="1", _3="12719002^^SCT", _5="20260302120000+0900", _19="pr-1"),),
        hint="An imaging study comes as ORU^R01 with its code in OBR-4.",
    ),
    "Vaccine": Hl7Example(
        "VXU^V04^VXU_V04",
        records.VACCINE_ROWS,
        (
            "ORC|RE||v-1",
            _empty("RXA", _1="0", _2="1", _3="20251103100000+0900", _5="187^^CVX", _6="999", _20="CP"),
        ),
    ),
    "Admission or visit": Hl7Example(
        "ADT^A01^ADT_A01",
        person.VISIT_ROWS,
        (_empty("PV1", _1="1", _2="I", _19="e-1", _44="20260301180000+0900"),),
    ),
    "What no standard resource names": Hl7Example(
        "ORU^R01^ORU_R01",
        observation.STATEMENT_ROWS,
        (
            _request("st-1", "^Statement", "20260302090000+0900", "20260302090500+0900"),
            "OBX|1|CWE|vte-risk-assessment^^99MYW||tier-2^^99MYW||||||F",
        ),
    ),
}
"""By the title of the example that says the same."""
