"""The README says of each way what the table says; and the table is in order."""

from __future__ import annotations

from evasion.reads.page import README, with_page
from evasion.reads.table import WAYS
from evasion.reads.way import Claim


def test_the_readme_is_up_to_date() -> None:
    readme = README.read_text()
    assert readme == with_page(readme), "run scripts/coverage-page"


def test_each_way_is_one_of_a_kind() -> None:
    assert len({way.id for way in WAYS}) == len({way.title for way in WAYS}) == len(WAYS)
    assert not [way.id for way in WAYS if "|" in way.title + way.remark], "a table's cell cannot hold a |"


def test_what_is_not_exact_has_a_reason() -> None:
    assert not [way.id for way in WAYS if way.claim is not Claim.EXACT and not way.remark]
    assert not [way.id for way in WAYS if (way.claim is Claim.GAP) != bool(way.gap)]
