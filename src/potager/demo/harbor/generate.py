"""Harbor's tables, generated in bulk from a fixed seed; the dates move with the last day, nothing else does.

To let Harbor grow, add a module that makes a table from what the others hold, with a random stream of its own
(:mod:`potager.demo.harbor.chance`), and name the table in :meth:`Harbor.tables`: the others stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from potager.demo.harbor import chance
from potager.demo.harbor.accounts import accounts_table, open_accounts
from potager.demo.harbor.bets import assignments_table, planted, rollouts_table
from potager.demo.harbor.calendar import DAYS, Calendar
from potager.demo.harbor.events import events_table, happen
from potager.demo.harbor.fees import fees_table
from potager.demo.harbor.onboarding import apply, onboarding_table
from potager.demo.harbor.rates import rates_table
from potager.demo.harbor.sessions import Sessions
from potager.demo.harbor.terms import terms_table
from potager.demo.harbor.truth import BETS, Bet

ACCOUNTS = 8_000


@dataclass(frozen=True, slots=True)
class Harbor:
    """The generated tables. ``events`` are those that people do on purpose, ``sessions`` all events."""

    onboarding: pa.Table
    accounts: pa.Table
    fees: pa.Table
    events: pa.Table
    assignments: pa.Table
    rollouts: pa.Table
    terms: pa.Table
    rates: pa.Table
    sessions: Sessions

    def tables(self) -> dict[str, pa.Table]:
        """Return the tables under the names they have in the lake; of the events those that are done on purpose."""
        return {
            "harbor.onboarding": self.onboarding,
            "harbor.accounts": self.accounts,
            "harbor.fees": self.fees,
            "harbor.events": self.events,
            "harbor.assignments": self.assignments,
            "harbor.rollouts": self.rollouts,
            "harbor.terms": self.terms,
            "harbor.rates": self.rates,
        }

    def loads(self) -> dict[str, pa.Table | pa.RecordBatchReader]:
        """Return what the lake gets under which name: the tables, and all events as a stream, made as it is read."""
        return {**self.tables(), "harbor.events": self.sessions.reader()}


def generate(
    through: date,
    *,
    accounts: int = ACCOUNTS,
    days: int = DAYS,
    seed: int = chance.SEED,
    bets: tuple[Bet, ...] = BETS,
) -> Harbor:
    """Return the tables of a bank that opened ``accounts`` accounts in ``days`` days, the last of them ``through``.

    The same arguments give the same tables, byte for byte. ``bets`` are those that have done what they do.
    """
    before = chance.seed.set(seed), planted.set(bets)
    try:
        return _generate(Calendar(through, days), accounts)
    finally:
        chance.seed.reset(before[0])
        planted.reset(before[1])


def _generate(calendar: Calendar, accounts: int) -> Harbor:
    made = apply(calendar, accounts)
    held = open_accounts(calendar, made)
    done = happen(calendar, held)
    return Harbor(
        onboarding=onboarding_table(calendar, made),
        accounts=accounts_table(calendar, held),
        fees=fees_table(calendar, held),
        events=events_table(calendar, done),
        assignments=assignments_table(calendar, held),
        rollouts=rollouts_table(calendar),
        terms=terms_table(calendar, held),
        rates=rates_table(calendar),
        sessions=Sessions(calendar, done, chance.seed.get()),
    )
