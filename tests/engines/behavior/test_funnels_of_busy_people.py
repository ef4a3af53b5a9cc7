"""Who has very many events is read by window passes, which find what the fold finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.behavior import MOST_FOLDED, Funnel, Match, funnel_members_sql, funnel_sql
from tests.engines.behavior.happened import EVENTS, FIRST, SCOPE, Happened, asked, happenings

OPEN, SEARCH, BUY, SHARE = (Match((name,)) for name in ("open", "search", "buy", "share"))
WINDOW = 5 * 86_400
FUNNELS = {
    "ordered": Funnel((OPEN, SEARCH, BUY), WINDOW),
    "the same step twice": Funnel((OPEN, OPEN, Match(("open", "buy"))), WINDOW),
    "with an exclusion": Funnel((OPEN, SEARCH, BUY), WINDOW, exclusions=(SHARE,)),
    "ended by its own step": Funnel((OPEN, SEARCH, BUY), WINDOW, exclusions=(Match(("open", "share")),)),
    "strict": Funnel((OPEN, SEARCH, BUY), WINDOW, "strict"),
    "unordered": Funnel((OPEN, SEARCH, BUY), WINDOW, "unordered"),
    "split": Funnel((OPEN, SEARCH, BUY), WINDOW, by="plan"),
    "split by every step": Funnel((OPEN, SEARCH, BUY), WINDOW, by="plan", touch="all"),
}


@pytest.mark.parametrize("name", FUNNELS)
@given(happened=happenings(), most=st.sampled_from([0, 3, 8]))
def test_the_passes_find_whom_the_fold_finds_and_how_fast_they_were(name, happened, most):
    fold = FUNNELS[name]
    passes = replace(FUNNELS[name], folded=most)
    assert asked(funnel_sql(EVENTS, SCOPE, passes), happened) == asked(
        funnel_sql(EVENTS, SCOPE, fold), happened
    )
    whom = [
        sorted(row["who"] for row in asked(funnel_members_sql(EVENTS, SCOPE, one, 2), happened))
        for one in (fold, passes)
    ]
    assert whom[0] == whom[1]


def test_one_person_with_very_many_events_does_not_hold_up_the_others():
    kinds = ("open", "search", "buy")
    program = [Happened("program", kinds[n % 3], FIRST + timedelta(seconds=n)) for n in range(300_000)]
    others = [Happened("a", "open", FIRST), Happened("a", "search", FIRST + timedelta(seconds=9))]
    funnel = replace(FUNNELS["ordered"], folded=MOST_FOLDED)
    (row,) = asked(funnel_sql(EVENTS, SCOPE, funnel), [*program, *others])
    assert [row[f"reached_{k}"] for k in (1, 2, 3)] == [2, 2, 1]
    assert (row["seconds_2"], row["seconds_3"]) == (5.0, 2.0)  # of 1 and 9 seconds; of the program alone
