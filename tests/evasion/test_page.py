"""The README says of each way what the tables say; and the tables are in order."""

from __future__ import annotations

import pytest

from evasion.claim import Claim
from evasion.page import README, SECTIONS, Section, with_pages
from evasion.reads.table import WAYS as READS
from evasion.sends.table import ALL as SENDS


def test_the_readme_is_up_to_date() -> None:
    readme = README.read_text()
    assert readme == with_pages(readme), "run scripts/coverage-page"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_each_way_is_one_of_a_kind(section: Section) -> None:
    ways = section.ways
    assert len({way.id for way in ways}) == len({way.title for way in ways}) == len(ways)
    assert not [way.id for way in ways if "|" in way.title + way.remark], "a table's cell cannot hold a |"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_what_is_not_exact_has_a_reason(section: Section) -> None:
    assert not [way.id for way in section.ways if way.claim is not Claim.EXACT and not way.remark]


def test_a_gap_has_a_type() -> None:
    assert not [way.id for way in (*READS, *SENDS) if (way.claim is Claim.GAP) != bool(way.gap)]
