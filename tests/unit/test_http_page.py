"""The page on HTTP says what the code does."""

import re

from ebb.http.examples import TITLES, problem_example
from ebb.http.headers import PURPOSE, REQUEST_ID
from ebb.http.scopes import SCOPES
from lambdas.predict.described import OPERATIONS
from lambdas.records.described import OPERATIONS as RECORDS
from lambdas.records.once import HEADER, LEASE_SECONDS, REPLAYED
from tests.home import ROOT

PAGE = (ROOT / "docs" / "http.md").read_text()


def test_every_problem_stands_in_its_row() -> None:
    rows = dict(re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE))
    for name in TITLES:
        assert f"`{name}`" in rows[str(problem_example(name)["status"])]
    told = {name for row in rows.values() for name in re.findall(r"`([a-z-]+)`", row)}
    assert told - {"retry-after", "ratelimit-policy", "ratelimit"} == TITLES.keys()


def test_every_scope_stands_with_its_calls() -> None:
    callers = PAGE.partition("## What a request says")[0]
    rows = dict(re.findall(r"^\| `([a-z:]+)` \| (.*) \|$", callers, re.MULTILINE))
    assert rows.keys() == set(SCOPES)
    for operation in (*OPERATIONS, *RECORDS):
        assert f"{operation.path}`" in PAGE
        for scope in operation.scopes or ():
            assert operation.path in rows[scope], operation.name
            assert operation.method in rows[scope], operation.name


def test_every_header_is_named() -> None:
    for name in (PURPOSE, REQUEST_ID, HEADER, REPLAYED):
        assert f"`{name}" in PAGE
    assert f"after {LEASE_SECONDS:.0f} s" in PAGE
