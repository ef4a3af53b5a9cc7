"""Currency rates: one a row as they say, or the European Central Bank's history turned round."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from potager.connectors.stripe import Kind, read, read_rates, recognize
from potager.kit.errors import Invalid

from .building import rows

BANK = (
    "Date,USD,JPY,CYP,GBP,\n"
    "2024-01-03,1.0919,155.82,N/A,0.86380,\n"
    "2024-01-02,1.0956,155.86,N/A,0.86645,\n"
    "2024-01-01,,155.00,N/A,N/A,\n"
)


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_the_banks_history_is_turned_round_into_euros(tmp_path):
    path = written(tmp_path / "eurofxref-hist.csv", BANK)
    assert recognize(path) == Kind.RATES
    table = read_rates(path)
    assert table.schema == pa.schema(
        [("day", pa.date32()), ("currency", pa.string()), ("rate", pa.float64())]
    )
    assert rows(table, "day", "currency", "rate") == [
        (date(2024, 1, 1), "JPY", pytest.approx(1 / 155)),
        (date(2024, 1, 2), "GBP", pytest.approx(1 / 0.86645)),
        (date(2024, 1, 2), "JPY", pytest.approx(1 / 155.86)),
        (date(2024, 1, 2), "USD", pytest.approx(1 / 1.0956)),
        (date(2024, 1, 3), "GBP", pytest.approx(1 / 0.8638)),
        (date(2024, 1, 3), "JPY", pytest.approx(1 / 155.82)),
        (date(2024, 1, 3), "USD", pytest.approx(1 / 1.0919)),
    ]


def test_a_book_in_another_currency_takes_the_banks_rates_across_the_euro(tmp_path):
    table = read_rates(written(tmp_path / "bank.csv", BANK), base="usd")
    found = {(day, currency): rate for day, currency, rate in rows(table, "day", "currency", "rate")}
    assert found[date(2024, 1, 2), "EUR"] == pytest.approx(1.0956)
    assert found[date(2024, 1, 2), "GBP"] == pytest.approx(1.0956 / 0.86645)
    assert not any(currency == "USD" or day == date(2024, 1, 1) for day, currency in found)


def test_a_long_table_says_the_rates_itself(tmp_path):
    text = (
        "Day,Currency,Rate\n2024-01-02,usd,0.9127\n2024-01-02,EUR,1\n2024-01-02,JPY,\n2024-01-02,USD,0.9127\n"
    )
    path = written(tmp_path / "rates.csv", text)
    assert recognize(path) == Kind.RATES
    assert read_rates(path, base="EUR").to_pylist() == [
        {"day": date(2024, 1, 2), "currency": "USD", "rate": 0.9127}
    ]


@pytest.mark.parametrize(
    ("text", "base", "said"),
    [
        (
            "day,currency,rate\n2024-01-02,USD,0.9\n2024-01-02,USD,0.8\n",
            "EUR",
            "Line 3: USD has two rates on 2024-01-02",
        ),
        ("day,currency,rate\n2024-01-02,USD,0.9\n2024-01-02,GBP,0\n", "EUR", "Line 3: The rate of GBP is 0."),
        ("day,currency,rate\n2024-01-02,USD,0.9\nsoon,USD,0.9\n", "EUR", "Line 3: 'soon' is no time"),
        ("day,currency,rate\n2024-01-02,USD,0.9\n,USD,0.9\n", "EUR", "Line 3: It has no day."),
        (
            "day,currency,rate\n2024-01-02,USD,0.9\n2024-01-03,pounds,0.9\n",
            "EUR",
            "Line 3: Its currency is 'POUNDS'",
        ),
        (
            "day,currency,rate\n2024-01-02,USD,0.9\n2024-01-03,GBP,much\n",
            "EUR",
            "Line 3: 'much' is no number",
        ),
        (BANK, "SEK", "no rates of SEK"),
        (BANK, "crowns", "currency is 'CROWNS'"),
        (BANK.replace("0.86645", "-1"), "EUR", "Line 3: The rate of GBP is -1."),
        ("name,age\nAda,36\nBen,41\n", "EUR", "no table of currency rates; its columns are name, age"),
    ],
)
def test_rates_that_cannot_be_read_are_refused_with_their_line(tmp_path, text, base, said):
    with pytest.raises(Invalid) as problem:
        read_rates(written(tmp_path / "rates.csv", text), base=base)
    assert said in problem.value.detail
    assert problem.value.mend


def test_rates_are_no_subscriptions_and_an_empty_file_is_none(tmp_path):
    with pytest.raises(Invalid, match="holds currency rates, no subscriptions"):
        read(written(tmp_path / "bank.csv", BANK))
    with pytest.raises(Invalid, match="is empty"):
        read_rates(written(tmp_path / "empty.csv", ""))
