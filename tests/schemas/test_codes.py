"""Codes mean something only together with their system; classes, prefixes and parents are those of the tables."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from schemas.codes import class_members, classes_of, tables
from schemas.codes.icd10 import expand_beginnings, read_icd10
from schemas.codes.tables import FILES, CodeTables
from schemas.values import Coding

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
WHO = "http://hl7.org/fhir/sid/icd-10"
CM = "http://hl7.org/fhir/sid/icd-10-cm"
KCD = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8"
RACE = "urn:oid:2.16.840.1.113883.6.238"


def coding(system: str, code: str) -> Coding:
    return Coding(system=system, code=code)


@pytest.mark.parametrize("code", ["2106-3", "2118-8"])
def test_a_race_code_is_not_a_pregnancy_test(code: str) -> None:
    """Both codes are hCG tests in LOINC and races in the CDC race codes."""
    codes = tables()
    found = codes.analyte_of(LOINC, code)
    assert found is not None
    assert found.analyte.id == "hcg-qualitative"
    assert codes.analyte_of(RACE, code) is None
    assert not codes.looks_like_analyte(RACE, code)


@pytest.mark.parametrize("system", [LOINC, "urn:oid:2.16.840.1.113883.6.1", "LN"])
def test_loinc_under_each_of_its_names(system: str) -> None:
    found = tables().analyte_of(system, "751-8")
    assert found is not None
    assert found.analyte.id == "anc"


@pytest.mark.parametrize("system", ["", "http://example.org/lab", "loinc", "http://loinc.org/x"])
def test_one_of_our_codes_under_a_foreign_system_is_a_doubt(system: str) -> None:
    assert tables().analyte_of(system, "751-8") is None
    assert tables().looks_like_analyte(system, "751-8")


@pytest.mark.parametrize(
    ("analyte", "codes"),
    [
        ("anc", "751-8 753-4 26499-4"),
        ("segs-abs", "30451-9"),
        ("bands-abs", "26507-4 30229-9"),
        ("neutrophils-pct", "770-8 23761-0 26511-6"),
        ("segs-pct", "769-0 32200-8 26505-8"),
        ("bands-pct", "764-1 35332-6 26508-2"),
        ("granulocytes-pct", "19023-1 30395-8"),
        ("granulocytes-abs", "30394-1"),
        ("wbc", "6690-2 804-5 26464-8 49498-9"),
        ("platelets", "777-3 778-1 26515-7 49497-1"),
        ("haemoglobin", "718-7 20509-6 30350-3 55782-7 59260-0 93846-4"),
        ("creatinine", "2160-0 14682-9 77140-2 38483-4"),
        ("creatinine-clearance-measured", "2164-2"),
        ("creatinine-clearance-reported", "35591-7"),
        ("egfr", "98979-8 62238-1 33914-3 77147-7 48642-3 48643-1 50044-7 70969-1 88293-6 88294-4"),
        ("inr", "6301-6 34714-6 38875-1 46418-0"),
        ("hcg-qualitative", "2118-8 2110-5 80385-8 2106-3 2112-1 80384-1"),
        ("hcg", "21198-7 19080-1 20415-6 83086-9 45194-8 55869-2 34670-0 2111-3 2119-6"),
        ("weight", "29463-7 3141-9"),
        ("temperature", "8310-5"),
    ],
)
def test_loinc_codes_of_an_analyte(analyte: str, codes: str) -> None:
    assert set(tables().loinc_codes_of(analyte)) == set(codes.split())


def test_estimates_are_marked() -> None:
    for code in ("49497-1", "49498-9"):
        found = tables().analyte_of(LOINC, code)
        assert found is not None
        assert found.is_estimate


@pytest.mark.parametrize("code", ["58410-2", "57021-8", "57782-5", "69742-5", "24325-3"])
def test_a_panel_code_is_never_a_value(code: str) -> None:
    assert tables().is_panel(LOINC, code)
    assert tables().analyte_of(LOINC, code) is None


@pytest.mark.parametrize(
    ("system", "code", "medicine"),
    [
        (RXNORM, "342369", "lenalidomide"),
        ("urn:oid:2.16.840.1.113883.6.88", "342369", "lenalidomide"),
        (ATC, "L04AX04", "lenalidomide"),
        (ATC, "l04ax04", "lenalidomide"),
        (RXNORM, "3264", "dexamethasone"),
        (ATC, "H02AB02", "dexamethasone"),
        (ATC, "B01AB05", "enoxaparin"),
        (ATC, "B01AB13", "heparin-group-other"),
        (ATC, "B01AF04", "direct-xa-inhibitor-other"),
        (ATC, "J01MA17", "quinolone-other"),
        (ATC, "J01CR05", "penicillin-other"),
        (ATC, "J01CR02", "co-amoxiclav"),
        (ATC, "G03AA12", "combined-contraceptive"),
        (ATC, "G03AC08", "progestogen-contraceptive"),
        (ATC, "G03CA03", "oestrogen"),
        (RXNORM, "10831", "co-trimoxazole"),
        (RXNORM, "2595942", "filgrastim"),
        (RXNORM, "27340", None),
        (ATC, "B01AD02", "thrombolytic"),
        (ATC, "L01AA01", "cyclophosphamide"),
        (ATC, "L01BC02", "cytotoxic-other"),
        (ATC, "L01DB01", "doxorubicin"),
        (ATC, "B01AB02", None),
        (ATC, "B01", None),
        (SNOMED, "342369", None),
        ("", "342369", None),
        (RXNORM, "L04AX04", None),
    ],
)
def test_medicines_by_code(system: str, code: str, medicine: str | None) -> None:
    match = tables().medicine_of([coding(system, code)])
    assert (match.medicine if match else None) == medicine


@pytest.mark.parametrize(
    ("code", "strength"),
    [("1242231", "2.5"), ("602912", "5"), ("602910", "10"), ("643712", "15"), ("1428947", "20"), ("643720", "25")],
)
def test_strength_of_a_lenalidomide_capsule_comes_from_its_product(code: str, strength: str) -> None:
    match = tables().medicine_of([coding(RXNORM, "342369"), coding(RXNORM, code)])
    assert match is not None
    assert (match.medicine, str(match.strength_mg)) == ("lenalidomide", strength)


def test_a_combination_needs_both_its_parts() -> None:
    sulfa, trimethoprim = coding(RXNORM, "10180"), coding(RXNORM, "10829")
    both = tables().medicine_of([sulfa, trimethoprim])
    assert both is not None
    assert both.medicine == "co-trimoxazole"
    assert tables().medicine_of([sulfa]) is None
    assert tables().medicine_of([trimethoprim]) is None


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("lmwh", "enoxaparin dalteparin nadroparin tinzaparin bemiparin", "heparin fondaparinux"),
        ("anticoagulant", "enoxaparin heparin fondaparinux warfarin acenocoumarol apixaban dabigatran", "aspirin"),
        ("doac", "rivaroxaban apixaban edoxaban dabigatran", "warfarin"),
        ("antithrombotic", "aspirin clopidogrel warfarin enoxaparin", "filgrastim"),
        ("gcsf", "filgrastim pegfilgrastim lenograstim lipegfilgrastim", "darbepoetin"),
        ("antibacterial-prophylaxis", "co-trimoxazole levofloxacin penicillin-v amoxicillin co-amoxiclav", "aciclovir"),
        ("esa", "epoetin-alfa darbepoetin peg-epoetin-beta", "filgrastim"),
        ("antiviral", "aciclovir valaciclovir famciclovir", "levofloxacin"),
        ("imid", "lenalidomide thalidomide pomalidomide", "bortezomib"),
        ("vitamin-k-antagonist", "warfarin acenocoumarol", "heparin"),
    ],
)
def test_classes(name: str, inside: str, outside: str) -> None:
    assert set(inside.split()) <= class_members(name)
    assert not set(outside.split()) & class_members(name)
    assert all(name in classes_of(medicine) for medicine in inside.split())


def test_an_unknown_medicine_is_in_no_class() -> None:
    assert classes_of("paracetamol") == classes_of(None) == frozenset()


@pytest.mark.parametrize("code", ["S01BA01", "S02BA06", "D07AB19", "R01AD03", "C05BA03"])
def test_local_use_by_code(code: str) -> None:
    assert tables().is_local_use([coding(ATC, code)])
    assert not tables().is_local_use([coding(RXNORM, code)])


@pytest.mark.parametrize(
    ("shows", "system", "code", "concepts"),
    [
        ("with a dot", WHO, "C90.0", {"multiple-myeloma"}),
        ("without", WHO, "C900", {"multiple-myeloma"}),
        ("with more digits", CM, "C90.01", {"multiple-myeloma"}),
        ("the category alone is not its member", WHO, "C90", set()),
        ("a neighbour", WHO, "C90.1", set()),
        ("deep vein", WHO, "I80.2", {"dvt", "vte"}),
        ("the same in Korean", KCD, "I80.2", {"dvt", "vte"}),
        ("superficial", WHO, "I80.0", {"superficial-thrombophlebitis"}),
        ("US lower limb", CM, "I82.401", {"dvt", "vte"}),
        ("US codes under the WHO system mean nothing", WHO, "I82.4", set()),
        ("calf muscle vein", CM, "I82.461", {"calf-vein-thrombosis", "dvt", "vte"}),
        ("tibial vein", CM, "I82.442", {"calf-vein-thrombosis", "dvt", "vte"}),
        ("upper limb", CM, "I82.621", {"upper-limb-vein-thrombosis", "dvt", "vte"}),
        ("embolism", WHO, "I26.9", {"pe", "vte"}),
        ("history", CM, "Z86.718", {"history-of-vte"}),
        ("pneumonia", WHO, "J18.9", {"pneumonia", "infection"}),
        ("influenza is an infection, not pneumonia", WHO, "J10.1", {"infection"}),
        ("first of a range", WHO, "A00", {"infection"}),
        ("last of a range", WHO, "B99", {"infection"}),
        ("zoster", WHO, "B02.9", {"herpes-zoster", "infection"}),
        ("sepsis", CM, "A41.9", {"sepsis", "infection"}),
        ("calcium disorder in the WHO edition", WHO, "E83.5", {"hypercalcaemia"}),
        ("low calcium in the US edition", CM, "E83.51", set()),
        ("high calcium in the US edition", CM, "E83.52", {"hypercalcaemia"}),
        ("bleeding from the gut", WHO, "K92.1", {"bleeding"}),
        ("not every disease of the gut", WHO, "K92.8", set()),
        ("brain haemorrhage", WHO, "I61.9", {"bleeding", "intracranial-bleeding"}),
        ("a stroke of unknown kind", WHO, "I64", {"stroke", "stroke-unexplained", "arterial-thromboembolism"}),
        ("iliac vein in the US edition", CM, "I82.421", {"iliofemoral-thrombosis", "dvt", "vte"}),
        ("the femoral vein alone is not iliofemoral", CM, "I82.411", {"dvt", "vte"}),
        ("clot at a catheter in the US edition", CM, "T82.868A", {"catheter-related-thrombosis", "vte"}),
        ("the WHO code of it also means bleeding", WHO, "T82.8", set()),
        ("hip fracture", WHO, "S72.0", {"pelvic-hip-femur-fracture"}),
        ("head injury", WHO, "S06.5", {"major-trauma"}),
        ("haemophilia", WHO, "D66", {"bleeding-diathesis"}),
        ("thrombophilia is no tendency to bleed", WHO, "D68.5", {"thrombophilia"}),
        ("diabetes", WHO, "E11.9", {"diabetes"}),
        ("ischaemic stroke", WHO, "I63.9", {"stroke", "arterial-thromboembolism"}),
        ("COPD", WHO, "J44.9", {"pulmonary-disease"}),
        ("asthma is not counted", WHO, "J45.0", set()),
        ("kidney disease", WHO, "N18.4", {"ckd", "renal-disease"}),
        ("dialysis", WHO, "Z99.2", {"dialysis", "renal-disease"}),
        ("pregnancy", WHO, "O09.9", {"pregnant"}),
        ("SNOMED thrombosis", SNOMED, "128053003", {"dvt", "vte"}),
        ("SNOMED neutropenia", SNOMED, "165517008", {"neutropenia"}),
        (
            "SNOMED febrile neutropenia with its parents",
            SNOMED,
            "409089005",
            {"febrile-neutropenia", "neutropenia", "fever"},
        ),
        ("a SNOMED code under another system", LOINC, "128053003", set()),
        ("no code at all", WHO, "thrombosis", set()),
        ("the project's own", "urn:myelowatch:codes", "pe", {"pe", "vte"}),
    ],
)
def test_conditions(shows: str, system: str, code: str, concepts: set[str]) -> None:
    assert set(tables().concepts_of([coding(system, code)])) == concepts, shows


def test_neutropenia_and_fever_on_one_record_are_febrile_neutropenia() -> None:
    both = [coding(WHO, "D70"), coding(WHO, "R50.9")]
    assert set(tables().concepts_of(both)) == {"febrile-neutropenia", "neutropenia", "fever"}
    assert "febrile-neutropenia" not in tables().concepts_of(both[:1])
    us = [coding(CM, "D70.1"), coding(CM, "R50.81")]
    assert "febrile-neutropenia" in tables().concepts_of(us)


def test_a_history_code_says_that_it_was() -> None:
    assert tables().is_history(tables().concepts_of([coding(CM, "Z86.711")]))
    assert not tables().is_history(tables().concepts_of([coding(WHO, "I26")]))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("I80.1", "I801"),
        ("i80.1", "I801"),
        ("G99.2*", "G992"),
        ("A18.0†", "A180"),
        ("I82.4-", "I824"),
        ("80.1", None),
        ("", None),
    ],
)
def test_reading_icd10(written: str, plain: str | None) -> None:
    assert read_icd10(written) == plain


def test_ranges_of_categories() -> None:
    assert list(expand_beginnings(["J12-J14"])) == ["J12", "J13", "J14"]
    assert len(list(expand_beginnings(["A00-B99"]))) == 200
    assert list(expand_beginnings(["K92.0-K92.2"])) == ["K920", "K921", "K922"]


@pytest.mark.parametrize(
    ("system", "code", "procedure"),
    [
        (SNOMED, "12719002", "platelet-transfusion"),
        (SNOMED, "71493000", "red-cell-transfusion"),
        (LOINC, "39432-0", "vte-imaging"),
        (SNOMED, "387713003", "surgery"),
        ("urn:myelowatch:codes", "central-venous-catheter", "central-venous-catheter"),
    ],
)
def test_procedures(system: str, code: str, procedure: str) -> None:
    assert tables().procedures_of([coding(system, code)]) == (procedure,)


@pytest.mark.parametrize(
    ("system", "code", "substances"),
    [
        (SNOMED, "91939003", ("sulfonamide",)),
        (RXNORM, "10180", ("sulfonamide",)),
        (RXNORM, "723", ("amoxicillin",)),
        (SNOMED, "716186003", ("none-known",)),
        (SNOMED, "1", ()),
    ],
)
def test_allergies(system: str, code: str, substances: tuple[str, ...]) -> None:
    assert tables().substances_of([coding(system, code)]) == substances


def test_vaccines() -> None:
    cvx = "http://hl7.org/fhir/sid/cvx"
    assert tables().vaccines_of([coding(cvx, "140")]) == ("influenza",)
    assert tables().vaccines_of([coding(cvx, "3")]) == tables().vaccines_of([coding(cvx, "03")])
    assert "zoster-live" in tables().live_vaccines
    assert "zoster-recombinant" not in tables().live_vaccines


@pytest.mark.parametrize(
    "code",
    [
        "planned-cycle-day-1", "cycle-day-1-taken", "lenalidomide-stopped", "lenalidomide-planned", "enrolled-by-hand",
        "vte-risk-assessment", "immobilisation", "aggressive-disease", "past-neutropenia", "past-infections",
        "marrow-heavily-infiltrated", "transfusion-plan", "infection-prophylaxis-justified", "gcsf-plan",
        "dexamethasone-plan-mg-per-cycle", "thrombophilia", "ecog", "bed-rest", "therapeutic-anticoagulation",
        "childbearing-potential", "contraception", "menses", "partner", "mobility", "therapy-line", "response",
        "spm-review", "transplant-plan", "authorisation",
    ],
)  # fmt: skip
def test_statements_the_rules_depend_on(code: str) -> None:
    statement = tables().statement_of("urn:myelowatch:codes", code)
    assert statement is not None
    assert statement.allowed if statement.value == "code" else not statement.allowed


# --- the tables themselves


def _texts() -> dict[str, str]:
    folder = resources.files("schemas.codes")
    return {name: folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8") for name in FILES}


def _walk(node: object, path: str = "") -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    if isinstance(node, dict):
        found.append((path, node))
        for key, value in node.items():
            found += _walk(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += _walk(value, f"{path}[{index}]")
    return found


@pytest.mark.parametrize("name", ["analytes", "medicines", "conditions"])
def test_every_number_and_code_names_its_source(name: str) -> None:
    """A number without a source is a bug (promise 6)."""
    needing = {"code", "multiply", "divide", "low", "value", "strength_mg"}
    for path, node in _walk(yaml.safe_load(_texts()[name])):
        if needing & node.keys() and "statements" not in path:
            assert node.get("source"), f"{name}{path}: {node}"
    for spec in yaml.safe_load(_texts()["conditions"])["conditions"]:
        assert spec.get("source"), spec["id"]


def test_numbers_are_texts_so_that_none_is_a_float() -> None:
    for name, text in _texts().items():
        for path, node in _walk(yaml.safe_load(text)):
            for key, value in node.items():
                # A source tag may be a bare part number of the reference.
                assert not isinstance(value, float) or key == "source", f"{name}{path}.{key}"


def test_a_code_with_two_meanings_is_refused_when_the_tables_are_read() -> None:
    texts = _texts()
    texts["medicines"] = texts["medicines"].replace('"10432"', '"342369"')
    with pytest.raises(ValueError, match="twice"):
        CodeTables(texts)


def test_a_unit_with_two_meanings_is_refused_when_the_tables_are_read() -> None:
    texts = _texts()
    texts["analytes"] = texts["analytes"].replace('any_case: ["10*2/uL",', 'any_case: ["10*3/uL", "10*2/uL",')
    with pytest.raises(ValueError, match="two meanings"):
        CodeTables(texts)
