"""Site maps: local codes in the project's words, and everything wrong with a map told with its line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.codes import tables
from schemas.codes.site_maps import SiteMapUnusable, read_site_map
from schemas.codes.tables import CodeTables
from schemas.events import LabResultReported
from schemas.reading import Reading
from schemas.values import Coding
from tests.schemas.feed import CONTEXT, fhir, observation

EXAMPLE = Path(__file__).parents[2] / "deploy" / "site-maps" / "example-edi.yaml"
HEAD = 'site_map: Test\nsystems:\n  - {id: lab, uri: "urn:lab", hl7v2: [99LAB]}\ncodes:\n'


def mapped(*rows: str) -> CodeTables:
    """The tables with one map of these rows."""
    return tables().with_site_maps([read_site_map(HEAD + "".join(f"  - {row}\n" for row in rows), tables())])


def coding(code: str, system: str = "urn:lab") -> tuple[Coding, ...]:
    return (Coding(system=system, code=code),)


def test_the_example_can_be_used_and_makes_up_its_codes() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    found = read_site_map(text, tables())
    assert "INVENTED" in text
    assert found.feeds == {"pharmacy", "lab"}
    codes = tables().with_site_maps([found])
    match = codes.medicine_of(coding("990000001", "urn:example:edi"))
    assert match is not None
    assert (match.medicine, match.strength_mg) == ("lenalidomide", Decimal(25))


def test_a_local_code_of_every_kind_is_known() -> None:
    codes = mapped(
        "{system: lab, code: A, analyte: anc}",
        "{system: lab, code: P, panel: blood count}",
        "{system: lab, code: M, medicine: enoxaparin}",
        "{system: lab, code: C, condition: dvt}",
        "{system: lab, code: T, procedure: platelet-transfusion}",
        "{system: lab, code: V, vaccine: influenza}",
        "{system: lab, code: S, substance: co-trimoxazole}",
        "{system: lab, code: W, statement: immobilisation}",
        "{system: lab, code: POS, answer: positive}",
    )
    found = codes.analyte_of("urn:lab", "A")
    assert found is not None
    assert found.analyte.id == "anc"
    assert codes.analyte_of("99LAB", "A") == found
    assert codes.is_panel("urn:lab", "P")
    match = codes.medicine_of(coding("M"))
    assert match is not None
    assert (match.medicine, match.strength_mg) == ("enoxaparin", None)
    assert {"dvt", "vte"} <= set(codes.concepts_of(coding("C"))), "with all parents"
    assert codes.procedures_of(coding("T")) == ("platelet-transfusion",)
    assert codes.vaccines_of(coding("V")) == ("influenza",)
    assert codes.substances_of(coding("S")) == ("co-trimoxazole",)
    statement = codes.statement_of("urn:lab", "W")
    assert statement is not None
    assert statement.code == "immobilisation"
    assert codes.answer_of(codes.analytes["hcg-qualitative"], "urn:lab", "POS") == "positive"


def test_a_fhir_feed_reads_by_its_map_and_names_what_is_unmapped() -> None:
    codes = mapped("{system: lab, code: L1, analyte: anc}", "{system: lab, code: L9, ignore: a comment}")
    context = replace(CONTEXT, site_codes=codes)

    def local(code: str) -> Reading:
        coding = {"system": "urn:lab", "code": code, "display": f"display of {code}"}
        return fhir({**observation(), "code": {"coding": [coding]}}, context)

    (entry,) = local("L1").entries
    (fact,) = entry.facts
    assert isinstance(fact, LabResultReported)
    assert (fact.analyte, fact.codes[0].code, fact.doubt) == ("anc", "L1", None)
    (unmapped,) = local("L2").unmapped
    assert (unmapped.kind, unmapped.code, unmapped.display) == ("Observation", "L2", "display of L2")
    assert (local("L9").unmapped, local("L9").ignored[0].count) == ((), 1)


def test_a_map_changes_nothing_else() -> None:
    before = tables()
    codes = mapped("{system: lab, code: 751-8, analyte: platelets}")
    assert codes.analyte_of("http://loinc.org", "751-8") == before.analyte_of("http://loinc.org", "751-8")
    assert before.analyte_of("urn:lab", "751-8") is None, "the project's own tables stay as they are"
    assert codes.analyte_of("urn:other", "751-8") is None
    assert codes.uri_of("99LAB") == "urn:lab"


def test_a_code_of_a_known_local_system_raises_no_doubt_about_its_system() -> None:
    codes = mapped("{system: lab, code: X, ignore: not ours}")
    assert tables().looks_like_analyte("urn:lab", "751-8")
    assert not codes.looks_like_analyte("urn:lab", "751-8")


def test_two_maps_stand_side_by_side_unless_they_name_one_system() -> None:
    one = read_site_map(HEAD + "  - {system: lab, code: A, analyte: anc}\n", tables())
    other = read_site_map(
        'site_map: B\nsystems:\n  - {id: lab, uri: "urn:b"}\ncodes:\n  - {system: lab, code: A, analyte: platelets}\n',
        tables(),
    )
    codes = tables().with_site_maps([one, other])
    found = [codes.analyte_of(system, "A") for system in ("urn:lab", "urn:b")]
    assert [each.analyte.id for each in found if each] == ["anc", "platelets"]
    with pytest.raises(ValueError, match="urn:lab"):
        tables().with_site_maps([one, one])


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("- a list\n", 0, "is a mapping"),
        ("site_map: [\n", 2, "not YAML"),
        (
            HEAD.replace("site_map: Test", "version: 1") + "  - {system: lab, code: A, analyte: anc}\n",
            1,
            "`site_map` names",
        ),
        (HEAD + "  - {system: lab, code: A, analyte: anc}\nextra: 1\n", 1, "unknown section `extra`"),
        ("site_map: Test\nfeeds: lab\nsystems: []\ncodes: []\n", 1, "`feeds` is a list"),
        (HEAD + "  - {system: lab, code: A, analyte: ANC}\n", 5, "no analyte is called 'ANC'"),
        (HEAD + "  - {system: lab, code: A, medicine: lenalidomid}\n", 5, "no medicine is called"),
        (HEAD + "  - {system: lab, code: A, answer: maybe}\n", 5, "no answer is called"),
        (HEAD + "  - {system: lab, code: A, analyte: anc, medicine: aspirin}\n", 5, "means one thing"),
        (HEAD + "  - {system: lab, code: A}\n", 5, "means one thing"),
        (HEAD + "  - {system: lab, analyte: anc}\n", 5, "needs `system` and `code`"),
        (HEAD + "  - {system: edi, code: A, analyte: anc}\n", 5, "none of this map's `systems`"),
        (HEAD + "  - {system: lab, code: A, analyte: anc, unit: x}\n", 5, "unknown field unit"),
        (HEAD + "  - {system: lab, code: A, analyte: anc, strength_mg: 5}\n", 5, "only a medicine has a strength"),
        (HEAD + "  - {system: lab, code: A, medicine: aspirin, strength_mg: ten}\n", 5, "strength of one unit in mg"),
        (HEAD + "  - {system: lab, code: A, medicine: aspirin, strength_mg: 0}\n", 5, "strength of one unit in mg"),
        (HEAD + "  - just text\n", 1, "every row of `codes` is a mapping"),
        (
            HEAD + "  - {system: lab, code: A, analyte: anc}\n  - {system: lab, code: A, analyte: wbc}\n",
            6,
            "stands twice",
        ),
        (HEAD.replace("urn:lab", "http://loinc.org") + "  - {system: lab, code: A, analyte: anc}\n", 3, "published"),
        (HEAD.replace("99LAB", "LN") + "  - {system: lab, code: A, analyte: anc}\n", 3, "published"),
        (HEAD.replace("id: lab, ", "") + "  - {system: lab, code: A, analyte: anc}\n", 3, "needs `id` and `uri`"),
        (HEAD.replace("uri:", "url:") + "  - {system: lab, code: A, analyte: anc}\n", 3, "unknown field url"),
        (
            HEAD.replace("codes:", '  - {id: lab, uri: "urn:2"}\ncodes:')
            + "  - {system: lab, code: A, analyte: anc}\n",
            4,
            "`lab` stands twice",
        ),
        (
            HEAD.replace("codes:", '  - {id: two, uri: "urn:lab"}\ncodes:')
            + "  - {system: lab, code: A, analyte: anc}\n",
            4,
            "names two systems",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, complaint: str) -> None:
    with pytest.raises(SiteMapUnusable) as refused:
        read_site_map(text, tables())
    assert any(each.line == line and complaint in each.message for each in refused.value.errors), refused.value.errors


def test_everything_wrong_is_told_at_once_in_order() -> None:
    text = HEAD + "  - {system: lab, code: A, analyte: ANC}\n  - {system: no, code: B, medicine: x}\n"
    with pytest.raises(SiteMapUnusable) as refused:
        read_site_map(text, tables())
    assert [each.line for each in refused.value.errors] == [5, 6, 6]


def test_codes_are_text_however_yaml_would_read_them() -> None:
    codes = mapped("{system: lab, code: 0123, analyte: anc}", "{system: lab, code: no, analyte: wbc}")
    assert codes.analyte_of("urn:lab", "0123") is not None
    assert codes.analyte_of("urn:lab", "no") is not None
