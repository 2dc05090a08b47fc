"""Text to policy: what stands on another profile, what the frozen policy carries, and every error with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from rules.policy.reading import Policy, PolicyUnusable, read_keys, read_policy
from schemas.alerts import Severity
from tests.rules.bedside import PROFILES, policy

FOLDER = Path(__file__).resolve().parents[3] / "rules" / "policy"
KEYS = (FOLDER / "keys.yaml").read_text()
PANEL = (FOLDER / "kr-panel.yaml").read_text()
BASES = {"kr-panel": PANEL}
HEAD = """\
profile: site
based_on: kr-panel
version: "7"
status: draft
effective_from: "2027-01-01"
approved_by: "the pharmacy committee"
"""


def read(text: str, bases: dict[str, str] | None = None, **changes: str) -> Policy:
    return read_policy(text, KEYS, overrides=changes, bases=BASES if bases is None else bases)


def errors(text: str, bases: dict[str, str] | None = None, known: frozenset[str] | None = None, **changes: str) -> str:
    with pytest.raises(PolicyUnusable) as caught:
        read_policy(text, KEYS, overrides=changes, bases=BASES if bases is None else bases, known_rules=known)
    assert str(caught.value) == "\n".join(str(error) for error in caught.value.errors)
    return str(caught.value)


def line_of(text: str, words: str) -> int:
    """The line on which some words stand first."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def row(key: str) -> str:
    """The line of a value in the panel's profile."""
    return next(line for line in PANEL.splitlines() if line.startswith(f"  {key}: "))


# --- what stands on another profile ---


@pytest.mark.parametrize("profile", PROFILES)
def test_the_text_of_a_policy_is_whole_and_reads_as_the_same_policy(profile: str) -> None:
    frozen = policy(profile)
    again = read_policy(frozen.text, KEYS)
    assert again == frozen
    assert again.hash == frozen.hash


def test_a_profile_that_stands_alone_is_its_own_text() -> None:
    frozen = read(PANEL)
    assert frozen.text == PANEL
    assert frozen.resolved_from == ""


def test_what_differs_replaces_and_the_rest_is_inherited() -> None:
    site = read(
        HEAD
        + """\
ladders:
  careful: {steps: ["25", "10"], unit: mg, source: "site"}
values:
  dose_ladder: {value: "careful", source: "site"}
  anc_severe: {value: "400", unit: "cells/uL", source: "site"}
  anc_severe_inclusive: {value: false, source: "site"}
rules:
  anc-hold: {sources: ["site 1"]}
  anc-low-watch: {severity: off}
  plt-hold: {status: shadow}
"""
    )
    panel = read(PANEL)
    assert (site.profile, site.version, site.status, site.resolved_from) == ("site", "7", "draft", "kr-panel 1.0.0")
    assert site.ladder == (Decimal(25), Decimal(10))
    assert site.ladders["consensus"] == panel.ladders["consensus"]
    assert (site.terms.anc_severe.value, site.terms.anc_severe.source) == (Decimal(400), "site")
    assert (site.terms.anc_severe_inclusive, site.sources["anc_severe_inclusive"]) == (False, "site")
    assert site.terms.anc_resume_at == panel.terms.anc_resume_at
    assert site.rules["anc-hold"].severity == panel.rules["anc-hold"].severity
    assert [(each.source, each.section) for each in site.rules["anc-hold"].citations] == [("site", "1")]
    assert site.severity("anc-low-watch") is None
    assert site.rules["anc-low-watch"].citations == panel.rules["anc-low-watch"].citations
    assert site.rules["plt-hold"].severity == {"*": Severity.CRITICAL}
    assert list(site.rules) == list(panel.rules)
    assert read_policy(site.text, KEYS) == site


def test_a_profile_may_stand_on_one_that_stands_on_another() -> None:
    middle = HEAD.replace("profile: site", "profile: middle") + "values:\n" + row("anc_severe").replace("500", "450")
    top = HEAD.replace("based_on: kr-panel", "based_on: middle") + "values:\n" + row("hb_low_below").replace("8.0", "7")
    frozen = read(top, {**BASES, "middle": middle})
    assert (frozen.terms.anc_severe.value, frozen.terms.hb_low_below.value) == (Decimal(450), Decimal(7))
    assert frozen.resolved_from == "middle 7"


def test_an_empty_difference_is_the_base_under_another_name() -> None:
    site, panel = read(HEAD + "values:\nrules:\n"), read(PANEL)
    assert (site.terms, site.rules, site.ladders) == (panel.terms, panel.rules, panel.ladders)
    assert site.hash != panel.hash


def test_a_rule_that_the_base_does_not_have_is_added() -> None:
    assert (
        read(HEAD + 'rules:\n  new-rule: {severity: info, sources: ["site"]}\n').severity("new-rule") is Severity.INFO
    )


@pytest.mark.parametrize("name", ["profile", "version", "status", "effective_from", "approved_by"])
def test_name_status_and_approval_are_never_inherited(name: str) -> None:
    head = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(f"{name}:"))
    assert f"`{name}` is missing" in errors(head)


# --- status ---


@pytest.mark.parametrize(
    ("policy_status", "rule_status", "speaks"),
    [
        ("active", "active", True),
        ("active", "shadow", False),
        ("active", "draft", False),
        ("active", "retired", False),
        ("shadow", "active", True),
        ("shadow", "shadow", True),
        ("shadow", "draft", False),
        ("draft", "draft", False),
        ("retired", "retired", False),
        ("retired", "active", True),
    ],
)
def test_a_rule_speaks_as_its_own_status_lets_it(policy_status: str, rule_status: str, speaks: bool) -> None:
    """A rule on trial speaks in a policy on trial alone; one that is written on or taken out of use, nowhere."""
    head = HEAD.replace("status: draft", f"status: {policy_status}")
    site = read(head + f"rules:\n  plt-hold: {{status: {rule_status}}}\n")
    assert site.severity("plt-hold") == (Severity.CRITICAL if speaks else None)
    assert ("plt-hold" in site.speaking) is speaks
    assert site.severity("no-such-rule") is None
    assert "no-such-rule" not in site.speaking


def test_a_rule_that_is_off_does_not_speak() -> None:
    site = read(HEAD + "rules:\n  plt-hold: {severity: off}\n  hb-low: {severity: {one: off, two: info}}\n")
    assert "plt-hold" not in site.speaking
    assert "hb-low" in site.speaking


# --- hashes ---


def test_different_numbers_never_share_a_hash() -> None:
    hashes = [
        read(PANEL).hash,
        read(PANEL, anc_severe="400").hash,
        read(PANEL, anc_severe="401").hash,
        read(PANEL, anc_severe_inclusive="false").hash,
        read(PANEL, dose_ladder="capsule").hash,
        *(policy(profile).hash for profile in ("uspi", "eu-smpc")),
    ]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("key", "value"),
    [("anc_severe", "400"), ("anc_severe_inclusive", "False"), ("anc_resume_strict_later", "true"),
     ("dose_ladder", "capsule")],
)  # fmt: skip
@pytest.mark.parametrize("profile", PROFILES)
def test_what_was_set_by_hand_is_in_the_text_and_loses_its_source(profile: str, key: str, value: str) -> None:
    changed = policy(profile, **{key: value})
    assert changed.sources[key] == "set by hand"
    assert read_policy(changed.text, KEYS) == changed
    assert yaml.safe_load(changed.text)["values"][key]["source"] == "set by hand"


def test_a_change_in_the_base_changes_what_stands_on_it() -> None:
    other = {"kr-panel": PANEL.replace(row("anc_severe"), row("anc_severe").replace("500", "450"))}
    assert read(HEAD, other).hash != read(HEAD).hash


# --- errors ---

SEVERE, SEVERE_LINE = row("anc_severe"), line_of(PANEL, "  anc_severe: ")


@pytest.mark.parametrize(
    ("shows", "old", "new", "said"),
    [
        ("not YAML", "values:", "values: [", "not YAML"),
        ("an unknown section", "ladders:", "laders: {}\nladders:", "unknown section `laders`"),
        ("a section twice", "values:", "values: {}\nvalues:", "a section stands twice"),
        ("an unknown status", "status: active", "status: done", "`status` is one of draft, shadow, active, retired"),
        ("no profile", "profile: kr-panel", "profile:", "`profile` is missing"),
        ("a misspelt key", "  anc_severe: ", "  anc_sever: ", "unknown key `anc_sever`"),
        ("a key twice", SEVERE, f"{SEVERE}\n{SEVERE}", "`anc_severe` stands twice"),
        ("a bare number", SEVERE, "  anc_severe: 500", "`anc_severe` needs value, unit and source"),
        ("a bare flag", row("table3_literal"), "  table3_literal: yes", "`table3_literal` needs value and source"),
        ("a field too many", SEVERE, SEVERE.replace("{", "{why: x, "), "`anc_severe` has unknown field(s) why"),
        ("no source", SEVERE, SEVERE.replace("source", "note"), "`anc_severe` has no source"),
        ("no unit", SEVERE, SEVERE.replace(', unit: "cells/uL"', ""), "`anc_severe` has no unit: it is in cells/uL"),
        ("another unit", SEVERE, SEVERE.replace("cells/uL", "10*9/L"), "`anc_severe` is in cells/uL, not 10*9/L"),
        ("no number", SEVERE, SEVERE.replace('"500"', '"low"'), "`anc_severe` is not a number: 'low'"),
        ("infinite", SEVERE, SEVERE.replace('"500"', '"Infinity"'), "`anc_severe` is not a number"),
        ("too low", SEVERE, SEVERE.replace("500", "199"), "= 199 is outside its clinical bounds 200 to 1000 cells/uL"),
        ("too high", SEVERE, SEVERE.replace("500", "1001"), "= 1001 is outside its clinical bounds"),
        ("neither", row("table3_literal"), row("table3_literal").replace("false", "maybe"), "is true or false"),
        ("no choice", row("ctcae_version"), row("ctcae_version").replace('"5"', '"4"'), "is one of 5, 6"),
        ("no ladder", row("dose_ladder"), row("dose_ladder").replace('"consensus"', '"x"'), "one of consensus, capsule"),
        ("no severity", "anc-low-watch: {severity: medium, ", "anc-low-watch: {", "needs severity and sources"),
        ("a new severity", "anc-low-watch: {severity: medium", "anc-low-watch: {severity: bad", "`bad` is not one of"),
        ("a rule without source", 'cbc-overdue: {severity: {late: high, "*": medium}, sources: ["S2 Dose and schedule"]}',
         "cbc-overdue: {severity: medium}", "`cbc-overdue` has no source"),
        ("a rule's status", "anc-low-watch: {severity", "anc-low-watch: {status: on, severity", "status is one of"),
        ("a ladder without unit", "  capsule: {", "  bare: {}\n  capsule: {", "ladder `bare` needs steps, unit mg"),
        ("a ladder upwards", '["25", "15", "10", "5"]', '["5", "10"]', "ladder `consensus` needs doses in mg"),
        ("a ladder of words", '["25", "15", "10", "5"]', '["full"]', "ladder `consensus` needs doses in mg"),
        ("a ladder to nothing", '["25", "15", "10", "5"]', '["5", "0"]', "ladder `consensus` needs doses in mg"),
        ("a ladder without steps", '["25", "15", "10", "5"]', "[]", "ladder `consensus` needs doses in mg"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(shows: str, old: str, new: str, said: str) -> None:
    assert old in PANEL
    assert said in errors(PANEL.replace(old, new, 1))


@pytest.mark.parametrize("section", ["values", "rules", "ladders"])
def test_a_section_that_is_missing_is_said(section: str) -> None:
    start = PANEL.index(f"\n{section}:")
    rest = PANEL[start + 1 :]
    nexts = [place for place in (rest.find(f"\n{other}:") for other in ("values", "rules")) if place > 0]
    without = PANEL[:start] + (rest[min(nexts) :] if nexts else "")
    assert f"`{section}` is missing" in errors(without)


def test_a_key_that_is_missing_is_said_with_its_meaning() -> None:
    assert "`anc_severe` is missing (Lenalidomide is interrupted" in errors(PANEL.replace(SEVERE, ""))


@pytest.mark.parametrize("text", ["", "just words", "- a list"])
def test_a_text_that_is_no_mapping_is_said(text: str) -> None:
    assert "a policy is a mapping" in errors(text)


def test_a_rule_nobody_knows_and_a_known_one_without_severity_are_said() -> None:
    known = frozenset(policy().rules) - {"anc-hold"} | {"new-rule"}
    said = errors(PANEL, known=known)
    assert f"line {line_of(PANEL, '  anc-hold: ')}: no rule is called `anc-hold`" in said
    assert "rule `new-rule` has no severity in this profile; use `off`" in said


def test_a_known_rule_that_stands_there_wrongly_is_told_once() -> None:
    old = next(line for line in PANEL.splitlines() if line.startswith("  anc-hold: "))
    said = errors(PANEL.replace(old, "  anc-hold: off"), known=frozenset(policy().rules))
    assert said.endswith("`anc-hold` needs severity and sources")
    assert len(said.splitlines()) == 1


def test_every_error_is_told_at_once_with_its_line() -> None:
    text = PANEL.replace(SEVERE, SEVERE.replace("500", "5")).replace("  hb_low_below: ", "  hb_lowe_below: ")
    assert errors(text).splitlines() == [
        "`hb_low_below` is missing (Haemoglobin below this is low)",
        f"line {SEVERE_LINE}: `anc_severe` = 5 is outside its clinical bounds 200 to 1000 cells/uL",
        f"line {line_of(text, 'hb_lowe_below')}: unknown key `hb_lowe_below`",
    ]


def test_an_error_of_the_base_names_the_file_and_its_line() -> None:
    broken = {"kr-panel": PANEL.replace(SEVERE, SEVERE.replace("500", "5"))}
    own = HEAD + "values:\n" + row("hb_low_below").replace("8.0", "80") + "\n"
    assert errors(own, broken).splitlines() == [
        f"line {line_of(own, 'hb_low_below')}: `hb_low_below` = 80 is outside its clinical bounds 6 to 10 g/dL",
        f"kr-panel line {SEVERE_LINE}: `anc_severe` = 5 is outside its clinical bounds 200 to 1000 cells/uL",
    ]


def test_an_error_that_the_difference_mends_is_no_error() -> None:
    broken = {"kr-panel": PANEL.replace(SEVERE, SEVERE.replace("500", "5"))}
    assert read(HEAD + "values:\n" + SEVERE + "\n", broken).terms.anc_severe.value == 500


@pytest.mark.parametrize(
    ("shows", "text", "bases", "said"),
    [
        ("a base nobody has", HEAD.replace("kr-panel", "kr-pane"), BASES,
         "line 2: `based_on` names no profile that is known: 'kr-pane' (known: kr-panel)"),
        ("no base at all", HEAD, {}, "names no profile that is known: 'kr-panel' (known: none)"),
        ("itself", HEAD.replace("kr-panel", "site"), {"site": HEAD.replace("kr-panel", "site")},
         "site line 2: `based_on` goes round in a circle: site -> site"),
        ("a circle", HEAD.replace("kr-panel", "a"),
         {"a": HEAD.replace("kr-panel", "b"), "b": HEAD.replace("kr-panel", "a")},
         "b line 2: `based_on` goes round in a circle: a -> b -> a"),
        ("a base that is no YAML", HEAD, {"kr-panel": "a: ["}, ": not YAML"),
        ("a base that is no mapping", HEAD, {"kr-panel": "word"}, "kr-panel: a policy is a mapping"),
        ("a section that is a list", HEAD + "values: [1]\n", BASES, "line 7: `values` is a mapping of what differs"),
        ("a bare value", HEAD + "values:\n  anc_severe: 400\n", BASES, "line 8: `anc_severe` needs value, unit"),
        ("a bare rule", HEAD + "rules:\n  anc-hold: off\n", BASES, "line 8: `anc-hold` needs severity and sources"),
        ("a key twice", HEAD + f"values:\n{SEVERE}\n{SEVERE}\n", BASES, "line 9: `anc_severe` stands twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_standing_on_another_is_said(
    shows: str, text: str, bases: dict[str, str], said: str
) -> None:
    assert said in errors(text, bases)


def test_without_a_base_only_that_is_said() -> None:
    assert len(errors(HEAD.replace("kr-panel", "nothing")).splitlines()) == 1


def test_a_base_whose_section_is_missing_is_said() -> None:
    said = errors(HEAD + "rules:\n  anc-hold: {status: draft}\n", {"kr-panel": "values: {}"})
    assert "line 8: `anc-hold` needs severity and sources" in said
    assert "`ladders` is missing" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"anc_sever": "4"}, "unknown key `anc_sever` set by hand"),
        ({"anc_severe": "4"}, f"line {SEVERE_LINE}: `anc_severe` = 4 is outside its clinical bounds"),
        ({"table3_literal": "perhaps"}, "`table3_literal` is true or false"),
        ({"dose_ladder": "perhaps"}, "`dose_ladder` is one of consensus, capsule"),
    ],
)
def test_what_is_set_by_hand_obeys_the_same_bounds(changes: dict[str, str], said: str) -> None:
    assert said in errors(PANEL, **changes)


# --- the table of keys ---


def test_the_table_of_keys_has_the_order_of_the_terms() -> None:
    lines = KEYS.splitlines(keepends=True)
    with pytest.raises(RuntimeError, match="the order differs"):
        read_keys("".join(reversed(lines)))
    with pytest.raises(RuntimeError, match="anc_severe"):
        read_keys("".join(line for line in lines if not line.startswith("anc_severe:")))


@pytest.mark.parametrize("key", sorted(read_keys(KEYS)))
def test_every_key_says_what_it_means_and_what_it_may_be(key: str) -> None:
    spec = read_keys(KEYS)[key]
    assert spec.meaning[0].isupper()
    assert not spec.meaning.endswith(".")
    assert spec.bounds or key == "dose_ladder"
    if spec.kind == "number":
        assert spec.unit
        assert spec.low is not None
        assert spec.high is not None
        assert spec.low < spec.high
    else:
        assert not spec.unit


def test_bounds_in_words() -> None:
    keys = read_keys(KEYS)
    assert keys["anc_severe"].bounds == "200 to 1000"
    assert keys["table3_literal"].bounds == "true or false"
    assert keys["ctcae_version"].bounds == "5 or 6"
