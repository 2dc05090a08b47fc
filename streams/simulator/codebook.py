"""The codes that the synthetic hospital sends: LOINC, RxNorm, ATC, SNOMED CT, ICD-10, CVX.

They are what a sender would write, kept apart from our own tables in `schemas/codes` on purpose:
if both drifted together, a broken table would still look right.
"""

from __future__ import annotations

from typing import Final

from schemas.values.coding import ATC, CVX, ICD10, LOINC, RXNORM, SNOMED
from streams.simulator.happenings import CodedConcept

WHITE_CELLS: Final = CodedConcept(LOINC, "6690-2", "Leukocytes [#/volume] in Blood by Automated count")
HAEMOGLOBIN: Final = CodedConcept(LOINC, "718-7", "Hemoglobin [Mass/volume] in Blood")
PLATELETS: Final = CodedConcept(LOINC, "777-3", "Platelets [#/volume] in Blood by Automated count")
NEUTROPHILS: Final = CodedConcept(LOINC, "751-8", "Neutrophils [#/volume] in Blood by Automated count")
NEUTROPHILS_MANUAL: Final = CodedConcept(LOINC, "753-4", "Neutrophils [#/volume] in Blood by Manual count")
NEUTROPHIL_SHARE: Final = CodedConcept(LOINC, "770-8", "Neutrophils/100 leukocytes in Blood by Automated count")
LYMPHOCYTES: Final = CodedConcept(LOINC, "731-0", "Lymphocytes [#/volume] in Blood by Automated count")
LYMPHOCYTE_SHARE: Final = CodedConcept(LOINC, "736-9", "Lymphocytes/100 leukocytes in Blood by Automated count")
EOSINOPHILS: Final = CodedConcept(LOINC, "711-2", "Eosinophils [#/volume] in Blood by Automated count")
CREATININE: Final = CodedConcept(LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma")
ALT: Final = CodedConcept(LOINC, "1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma")
AST: Final = CodedConcept(LOINC, "1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma")
BILIRUBIN: Final = CodedConcept(LOINC, "1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma")
TSH: Final = CodedConcept(LOINC, "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma")
LDH: Final = CodedConcept(LOINC, "2532-0", "Lactate dehydrogenase [Enzymatic activity/volume] in Serum or Plasma")
URATE: Final = CodedConcept(LOINC, "3084-1", "Urate [Mass/volume] in Serum or Plasma")
POTASSIUM: Final = CodedConcept(LOINC, "2823-3", "Potassium [Moles/volume] in Serum or Plasma")
HEPATITIS_B_ANTIGEN: Final = CodedConcept(LOINC, "5196-1", "Hepatitis B virus surface Ag [Presence] in Serum")
HEPATITIS_B_ANTIBODY: Final = CodedConcept(LOINC, "13952-7", "Hepatitis B virus core Ab [Presence] in Serum or Plasma")
PREGNANCY_TEST: Final = CodedConcept(LOINC, "2118-8", "Choriogonadotropin [Presence] in Serum or Plasma")
ANSWERED_IN_WORDS: Final = frozenset((HEPATITIS_B_ANTIGEN, HEPATITIS_B_ANTIBODY, PREGNANCY_TEST))
"""Tests whose result is a word."""
WEIGHT: Final = CodedConcept(LOINC, "29463-7", "Body weight")
HEIGHT: Final = CodedConcept(LOINC, "8302-2", "Body height")
TEMPERATURE: Final = CodedConcept(LOINC, "8310-5", "Body temperature")

LENALIDOMIDE: Final[dict[int, CodedConcept]] = {
    5: CodedConcept(RXNORM, "602912", "lenalidomide 5 MG Oral Capsule"),
    10: CodedConcept(RXNORM, "602910", "lenalidomide 10 MG Oral Capsule"),
    15: CodedConcept(RXNORM, "643712", "lenalidomide 15 MG Oral Capsule"),
    25: CodedConcept(RXNORM, "643720", "lenalidomide 25 MG Oral Capsule"),
}
"""Capsule by its strength, mg."""

DEXAMETHASONE: Final = CodedConcept(RXNORM, "3264", "dexamethasone")
ASPIRIN: Final = CodedConcept(RXNORM, "1191", "aspirin")
ENOXAPARIN: Final = CodedConcept(RXNORM, "67108", "enoxaparin")
COTRIMOXAZOLE: Final = CodedConcept(ATC, "J01EE01", "sulfamethoxazole and trimethoprim")
FILGRASTIM: Final = CodedConcept(RXNORM, "68442", "filgrastim")

MYELOMA: Final = (
    CodedConcept(SNOMED, "109989006", "Multiple myeloma"),
    CodedConcept(ICD10, "C90.0", "Multiple myeloma"),
)
DEEP_VEIN_THROMBOSIS: Final = (
    CodedConcept(SNOMED, "128053003", "Deep venous thrombosis"),
    CodedConcept(ICD10, "I80.2", "Phlebitis and thrombophlebitis of other deep vessels of lower extremities"),
)
KIDNEY_DISEASE: Final = (CodedConcept(SNOMED, "709044004", "Chronic kidney disease"),)
PLATELET_TRANSFUSION: Final = CodedConcept(SNOMED, "12719002", "Transfusion of platelets")
INFLUENZA_VACCINE: Final = CodedConcept(CVX, "150", "Influenza, injectable, quadrivalent, preservative free")
PNEUMOCOCCAL_VACCINE: Final = CodedConcept(CVX, "133", "Pneumococcal conjugate, 13-valent")
ZOSTER_VACCINE: Final = CodedConcept(CVX, "187", "Zoster, recombinant")
COVID_VACCINE: Final = CodedConcept(CVX, "213", "SARS-COV-2 (COVID-19), unspecified")
VACCINES: Final[dict[str, CodedConcept]] = {
    "pneumococcal": PNEUMOCOCCAL_VACCINE,
    "zoster": ZOSTER_VACCINE,
    "covid": COVID_VACCINE,
}
