"""`make audit`: what is said of pip-audit's answers."""

from datetime import date

from tests.supply.audit import Result, judge, status

TODAY = date(2026, 11, 27)
REPORT = {
    "dependencies": [
        {"name": "aiohttp", "version": "3.0", "vulns": []},
        {
            "name": "idna",
            "version": "3.0",
            "vulns": [{"id": "PYSEC-2026-1", "aliases": ["GHSA-aaaa"], "fix_versions": ["3.1", "4.0"]}],
        },
    ],
    "fixes": [],
}
SILENT = {"dependencies": [{"name": "aiohttp", "skip_reason": "not found"}], "fixes": []}


def test_a_known_vulnerability_fails_and_names_what_mends_it() -> None:
    code, lines = status(judge("runtime.txt", REPORT, {}, TODAY), ["runtime.txt"])
    assert code == 1
    assert lines[0] == "audit: VULNERABLE: runtime.txt: idna 3.0: PYSEC-2026-1 GHSA-aaaa, fixed in: 3.1, 4.0"
    assert "make upgrade" in lines[1]


def test_an_accepted_one_passes_until_its_day_under_any_of_its_names() -> None:
    accepted = {"GHSA-aaaa": {"until": TODAY, "why": "not reached"}}
    code, lines = status(judge("runtime.txt", REPORT, accepted, TODAY), ["runtime.txt"])
    assert code == 0
    assert lines[0].endswith("accepted until 2026-11-27: not reached")
    code, lines = status(judge("runtime.txt", REPORT, accepted, date(2026, 11, 28)), ["runtime.txt"])
    assert code == 1
    assert lines[0].endswith("was accepted until 2026-11-27")


def test_what_nobody_answered_for_is_not_called_safe() -> None:
    code, lines = status(judge("runtime.txt", SILENT, {}, TODAY), ["runtime.txt"])
    assert code == 2
    assert "NOT AUDITED" in lines[0]
    assert "1 questions" in lines[0]
    assert "not found" in lines[0]


def test_results_of_lock_files_add_up_and_a_vulnerability_outweighs_silence() -> None:
    result = Result()
    for report in (REPORT, SILENT):
        result.add(judge("dev.txt", report, {}, TODAY))
    assert result.asked == 3
    assert status(result, ["dev.txt"])[0] == 1


def test_a_clean_audit_says_how_much_it_asked() -> None:
    assert status(Result(asked=7), ["build.txt", "dev.txt"]) == (
        0,
        ["audit: nothing known of 7 distributions in build.txt, dev.txt"],
    )
