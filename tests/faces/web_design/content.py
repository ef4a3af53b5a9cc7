"""What the gallery shows: a wholesaler's and a digital bank's pages, invented but plausible."""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms

from potager.kit.charts.series import Happening, Series, Target, time_series

NOW = datetime(2011, 12, 10, 8, 30, tzinfo=UTC)
MONTHS = [554.6, 475.1, 661.2, 477.2, 678.6, 661.2, 600.1, 643.5, 950.7, 1035.6, 1156.2, 342.5]
SERIES = [1000 * month for month in MONTHS]

NAV: list[dict[str, Any]] = [
    {"title": "Insight", "key": "insight", "items": [
        {"title": "Questions", "url": "/questions", "icon": "questions", "current": True, "badge": 2},
        {"title": "Metrics", "url": "/metrics", "icon": "metrics"},
        {"title": "Metric tree", "url": "/tree", "icon": "tree"},
        {"title": "Customers", "url": "/customers", "icon": "customers"},
        {"title": "Revenue", "url": "/revenue", "icon": "revenue"},
        {"title": "Usage", "url": "/usage", "icon": "usage"},
        {"title": "Impact", "url": "/impact", "icon": "impact"}]},
    {"title": "Voice", "key": "voice", "items": [
        {"title": "Feedback", "url": "/feedback", "icon": "feedback", "badge": 14},
        {"title": "Surveys", "url": "/surveys", "icon": "surveys"},
        {"title": "Research", "url": "/research", "icon": "research"},
        {"title": "Market", "url": "/market", "icon": "market"}]},
    {"title": "Practice", "key": "practice", "items": [
        {"title": "Prioritization", "url": "/prioritization", "icon": "prioritization"},
        {"title": "Operating", "url": "/operating", "icon": "operating"},
        {"title": "Playbook", "url": "/playbook", "icon": "playbook"},
        {"title": "Tools", "url": "/tools", "icon": "tools"}]},
    {"title": "Infrastructure", "key": "infrastructure", "items": [{"title": "Services", "url": "/services", "icon": "services"}]},
    {"title": "Enablement", "key": "enablement", "items": [
        {"title": "Friction", "url": "/friction", "icon": "friction"},
        {"title": "Offerings", "url": "/offerings", "icon": "offerings"},
        {"title": "Time", "url": "/time", "icon": "time"}]},
    {"title": "Garden", "key": "garden", "items": [{"title": "Notes", "url": "/notes", "icon": "notes"}, {"title": "Glossary", "url": "/glossary", "icon": "glossary"}]},
]  # fmt: skip

ANSWERS: list[dict[str, Any]] = [
    {"verdict": "yes", "question": "Will net revenue reach £9.5m this year?", "statement": "Net revenue has passed £9.5m: £9.75m through 9 December, with three weeks to go.", "url": "/questions/1", "as_of": NOW - timedelta(hours=2), "spark": SERIES, "unit": "GBP", "partial": True},
    {"verdict": "at_risk", "question": "Will 90 % of orders come from customers we know?", "statement": "Known customers placed 86 % of orders in November; 90 % by January needs a faster rise than any month has shown.", "url": "/questions/2", "as_of": NOW - timedelta(hours=2), "spark": [0.81, 0.82, 0.84, 0.83, 0.85, 0.86], "unit": "share"},
    {"verdict": "no", "question": "Did the spring catalogue raise order value abroad?", "statement": "No: orders from abroad were worth £738 after it and £751 before, a difference that chance explains.", "url": "/questions/3", "as_of": NOW - timedelta(days=1), "spark": [751, 742, 760, 738, 731, 738], "unit": "GBP"},
    {"verdict": "cannot_tell", "question": "Is December weaker than last year’s?", "statement": "Cannot tell yet: nine days of December are in, and nine days say little about the month.", "url": "/questions/4", "as_of": NOW - timedelta(hours=2)},
]  # fmt: skip

CUSTOMERS: list[dict[str, Any]] = [
    {"id": 14646, "name": "Van der Berg Groothandel", "place": "Netherlands, since 2009", "revenue": 279489.02, "orders": 76, "change": 0.31, "series": [18, 22, 19, 24, 27, 25, 31, 29, 33, 35, 38, 12], "last": NOW - timedelta(days=2)},
    {"id": 18102, "name": "Hallam & Sons", "place": "United Kingdom, since 2010", "revenue": 256438.49, "orders": 62, "change": 0.12, "series": [20, 21, 19, 20, 22, 21, 23, 22, 24, 26, 25, 9], "last": NOW - timedelta(days=1)},
    {"id": 17450, "name": "Fenwick Interiors", "place": "United Kingdom, since 2009", "revenue": 187482.17, "orders": 55, "change": -0.08, "series": [22, 20, 19, 18, 19, 17, 18, 16, 17, 15, 16, 4], "last": NOW - timedelta(days=9)},
    {"id": 14911, "name": "Corrib Trading", "place": "Ireland, since 2009", "revenue": 132572.62, "orders": 248, "change": 0.004, "series": [10, 12, None, None, 11, 12, 11, 13, 12, 11, 12, 4], "last": NOW - timedelta(hours=20)},
    {"id": 12415, "name": "Southern Cross Gifts", "place": "Australia, since 2011", "revenue": 123725.45, "orders": 26, "change": None, "series": [None, 3, 8, 12, 14, 13, 18, 20, 19, 21, 24, 2], "last": NOW - timedelta(days=24)},
]  # fmt: skip

DRIVERS: list[dict[str, Any]] = [
    {"title": "Active customers", "amount": 512_400, "url": "/metrics/active-customers", "note": "1,664 in November against 1,151 a year before"},
    {"title": "Orders per customer", "amount": 96_300, "url": "/metrics/orders-per-customer", "note": "1.67 against 1.52"},
    {"title": "Average order value", "amount": -41_200, "url": "/metrics/average-order-value", "note": "£376 against £391; larger share of small orders"},
    {"title": "Returns", "amount": -22_700, "url": "/metrics/returns"},
    {"title": "Unexplained", "amount": 4_100, "unexplained": True, "note": "lines without a customer"},
]  # fmt: skip

CHAIN_UP: list[dict[str, Any]] = [
    {"kind": "answer", "title": "Net revenue passed £9.5m", "here": True},
    {"kind": "metric", "title": "Net revenue", "url": "/metrics/1", "grade": 5},
    {"kind": "metric", "title": "Active customers", "url": "/metrics/2", "grade": 3, "weakest": True, "why": "last tested in June"},
    {"kind": "data", "title": "Order lines, 541,909 rows", "url": "/data/1", "grade": 5},
]  # fmt: skip
CHAIN_DOWN: list[dict[str, Any]] = [
    {"kind": "decision", "title": "Keep the second warehouse shift", "url": "/decisions/1", "grade": 1},
    {"kind": "bet", "title": "Trade terms for known customers", "url": "/bets/1", "grade": 2},
]
HISTORY: list[dict[str, Any]] = [
    {"as_of": NOW - timedelta(hours=2), "verdict": "yes", "statement": "£9.75m through 9 December.", "url": "/a/3", "diff": "Was at risk: November came in at £1.16m, above the interval’s upper end."},
    {"as_of": NOW - timedelta(days=9), "verdict": "at_risk", "statement": "£9.41m through 30 November, with one month to go.", "url": "/a/2"},
    {"as_of": NOW - timedelta(days=40), "verdict": "cannot_tell", "statement": "Cannot tell: the data was two days late.", "url": "/a/1"},
]  # fmt: skip
SQL = """select
    date_trunc('month', invoice_date) as month,
    sum(quantity * unit_price)        as net_revenue
from order_lines
where invoice_date >= date '2011-01-01'
group by month
order by month"""

ANSWER: dict[str, Any] = {
    **ANSWERS[0],
    "decision": "the second warehouse shift", "decider": "Ruth Adeyemi, CFO",
    "low": 10_020_000, "high": 10_410_000, "unit": "GBP", "as_of": NOW - timedelta(hours=2),
    "data_through": date(2011, 12, 9), "complete_through": date(2011, 11, 30), "expires_at": NOW + timedelta(days=6),
    "because": "Against the same eleven months of 2010, £549k more: more customers ordered, and a little more often; the orders themselves became slightly smaller.",
    "drivers": DRIVERS, "good": "up", "drivers_title": "Change of net revenue",
    "confidence": {"grade": "medium", "words": "Enough to act on for the year; not for single customers.", "parts": [
        {"name": "Completeness", "grade": "medium", "words": "24.9 % of lines carry no customer; all carry an amount."},
        {"name": "Freshness", "grade": "high", "words": "One day old; daily was promised."},
        {"name": "Sample", "grade": "high", "words": "25,900 orders."},
        {"name": "Width", "grade": "high", "words": "The interval is 4 % of the estimate."},
        {"name": "Definition", "grade": "high", "words": "Unchanged since it was written."},
        {"name": "Agreement", "grade": "low", "words": "Two forecasts differ by 9 % for December."}]},
    "next": {"text": "Keep the second shift through March, and bring its renewal to the January review.", "owner": "Tom Hallett, operations", "due": date(2011, 12, 19), "agreed": date(2011, 10, 3), "url": "/decisions/1", "action": "Open the decision", "hint": "No plausible value of this year’s revenue would change the action any more."},
    "would_change": ["Cancellations of more than £240k before the year’s end. The largest month so far had £169k.", "A correction of November’s postage lines, which are still open with the carrier."],
    "next_questions": [{"title": "Which customers made the difference?", "url": "/ask?q=1"}, {"title": "Will January hold without the new customers?", "url": "/ask?q=2"}],
    "metrics": [{"title": "Net revenue", "version": 3, "url": "/metrics/1"}], "sql": SQL, "engine": "DuckDB, 41 ms",
    "receipt": [{"key": "Snapshot", "value": "order_lines @ 8120347715"}, {"key": "Hash", "value": "9f2c 51aa 07de 6b1c"}, {"key": "Definition", "value": "net_revenue, version 3"}],
    "receipt_about": "re-runs to the same hash", "rerun_url": "/rerun", "history": HISTORY,
    "rows_table": {"title": "Net revenue by month", "columns": [{"title": "Month"}, {"title": "Net revenue", "number": True}], "rows": [[{"text": "October 2011"}, {"text": "£1,035,643", "number": True}], [{"text": "November 2011"}, {"text": "£1,156,205", "number": True}]], "about": "Twelve rows; December holds nine days."},
    "rows_about": "12 rows",
}  # fmt: skip

BEDS: list[dict[str, Any]] = [
    {"key": "insight", "title": "Insight", "about": "What the business data says", "lines": [
        {"context": "Questions", "context_url": "/questions", "text": "Net revenue has passed £9.5m, three weeks early.", "url": "/questions/1", "verdict": "yes"},
        {"context": "Metrics", "context_url": "/metrics", "text": "Returns rose to 2.1 % of lines in November, the most in a year.", "url": "/metrics/9", "verdict": "at_risk"},
        {"context": "Impact", "context_url": "/impact", "text": "Trade terms: forecast between £80k and £140k, observed £97k.", "url": "/bets/1", "when": NOW - timedelta(days=1)}]},
    {"key": "voice", "title": "Voice", "about": "What customers and the market say", "lines": [
        {"context": "Feedback", "context_url": "/feedback", "text": "14 people asked for split deliveries; 9 of them have not been answered.", "url": "/themes/1", "count": 14},
        {"context": "Research", "context_url": "/research", "text": "The finding on gift buyers contradicts last spring’s; one of them is stale.", "url": "/insights/3", "when": NOW - timedelta(days=3)}]},
    {"key": "practice", "title": "Practice", "about": "How the work is done", "lines": [
        {"context": "Operating", "context_url": "/operating", "text": "The Thursday roll-up expires in a week; it takes 31 hours a month, and two people read it.", "url": "/processes/4", "when": NOW + timedelta(days=7)},
        {"context": "Prioritization", "context_url": "/prioritization", "text": "Split deliveries ranks first in 71 % of draws.", "url": "/rankings/1", "when": NOW - timedelta(days=2)}]},
]  # fmt: skip
UNDER: list[dict[str, Any]] = [
    {"key": "infrastructure", "title": "Infrastructure", "about": "What everything stands on", "lines": [
        {"context": "Services", "context_url": "/services", "text": "Payments kept its objective; its queue unlocked two days a month for onboarding.", "url": "/services/2", "when": NOW - timedelta(days=5)}]},
    {"key": "enablement", "title": "Enablement", "about": "Product operations itself", "first": {"text": "Nobody has said yet where the time goes. Five questions, four minutes, answered once by everyone.", "action": "Start an assessment", "url": "/friction/new", "main": True}},
]  # fmt: skip
NEEDS: list[dict[str, Any]] = [
    {"title": "Decide whether the second shift stays", "url": "/decisions/1", "why": "The answer it waited for turned yes this morning.", "when": date(2011, 12, 19), "icon": "questions"},
    {"title": "Nine people are owed a reply on split deliveries", "url": "/themes/1", "why": "The oldest has waited 23 days; the promise is 14.", "when_text": "9 days late", "icon": "feedback"},
    {"title": "12 lines of Friday’s import were set aside", "url": "/imports/3", "why": "Their dates are written two ways.", "when": NOW - timedelta(days=1), "icon": "import"},
]  # fmt: skip
TREE: dict[str, Any] = {
    "nodes": [
        {"id": "revenue", "title": "Net revenue", "text": "£1.16m, target £1.05m", "x": 20, "y": 96, "folds": True},
        {"id": "orders", "parent": "revenue", "title": "Orders", "text": "2,884, up 31 %", "x": 265, "y": 40, "folds": True},
        {"id": "value", "parent": "revenue", "title": "Average order value", "text": "£401, down 4 %", "x": 265, "y": 152},
        {"id": "active", "parent": "orders", "title": "Active customers", "text": "1,664, up 45 %", "x": 510, "y": 8},
        {"id": "frequency", "parent": "orders", "title": "Orders per customer", "text": "1.73, down 9 %", "x": 510, "y": 78},
        {"id": "catalogue", "parent": "value", "title": "Catalogue reach", "text": "influence, correlated", "x": 510, "y": 152},
    ],
    "edges": [
        {"to": "orders", "path": "M210 125C240 125 235 69 265 69"}, {"to": "value", "path": "M210 125C240 125 235 181 265 181"},
        {"to": "active", "path": "M455 69C485 69 480 37 510 37"}, {"to": "frequency", "path": "M455 69C485 69 480 107 510 107"},
        {"to": "catalogue", "path": "M455 181H510", "influence": True},
    ],
}  # fmt: skip
JOBS: list[dict[str, Any]] = [
    {"id": "1", "title": "Import order_lines.csv", "url": "/jobs/1", "running": True, "done": 0.62, "doing": "Reading rows, 336,000 of 541,909", "state": "running", "owner": "Ada", "started": NOW - timedelta(minutes=2), "left": "1 min", "cancel_url": "/cancel"},
    {"id": "2", "title": "Answer all questions again", "url": "/jobs/2", "running": True, "done": None, "doing": "Waiting for the import", "state": "waiting", "owner": "the schedule"},
    {"id": "3", "title": "Weekly digest", "url": "/jobs/3", "state": "failed", "failed": True, "note": "The mail server refused the sender. Set POTAGER_MAIL_FROM to an address it knows.", "retry_url": "/retry", "started": NOW - timedelta(days=1)},
]  # fmt: skip
FILTERS = [
    {"name": "country", "value": "United Kingdom", "remove": "?"},
    {"name": "orders", "joint": "at least", "value": "20", "remove": "?"},
]
CHART = time_series(
    Series("Net revenue", tuple(date(2011, month, 1) for month in range(1, 13)), tuple(SERIES)),
    title="Revenue rose through autumn to £1.16m in November",
    unit="GBP",
    as_of=NOW.date(),
    target=Target(value=800_000),
    happenings=(Happening(date(2011, 4, 12), "spring catalogue", "shipped"),),
    partial_last=True,
    partial_note="9 days",
    zero=True,
)


class MetricForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As people say it.", max_length=80)
    unit = forms.ChoiceField(label="Unit", choices=[("GBP", "£"), ("share", "%"), ("count", "a count")])
    kind = forms.ChoiceField(
        label="Kind",
        choices=[("flow", "Flow"), ("stock", "Stock"), ("rate", "Rate")],
        widget=forms.RadioSelect,
    )
    target = forms.DecimalField(
        label="Target", required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    about = forms.CharField(label="What it is", widget=forms.Textarea, required=False)
    public = forms.BooleanField(
        label="Everybody may see it", required=False, help_text="Its team always may."
    )


def gallery() -> dict[str, Any]:
    """Return everything the gallery needs."""
    form = MetricForm({"name": "", "unit": "GBP", "kind": "flow", "target": "ten million"}, auto_id="id_%s")
    return {
        "page_title": "Gallery", "page_about": "Every part of the design system, with content, in the order pages use it.",
        "crumbs": [{"title": "House", "url": "/"}], "nav": NAV, "running_jobs": 2,
        "demo_notice": "Harbor is simulated: no customer, balance or payment on these pages is real.",
        "needs": NEEDS, "answers": ANSWERS, "soon": NOW + timedelta(days=4), "earlier": NOW - timedelta(hours=3), "series": SERIES,
        "customers": CUSTOMERS, "filters": FILTERS, "filter_choices": [{"title": "Segment", "url": "?"}], "clear_url": "?",
        "views": [{"title": "All", "url": "?", "current": True}, {"title": "At risk of leaving", "url": "?"}], "save_view_url": "?",
        "tabs": [{"title": "Customers", "url": "#t", "current": True, "count": "4,339"}, {"title": "Segments", "url": "#s", "count": 6}, {"title": "Merges", "url": "#m"}],
        "chart": {"image": "/chart.svg", "spec": "/chart.json", "title": CHART.title, "alt": CHART.alt},
        "driver_rows": DRIVERS, "tree": TREE, "form": form, "jobs": JOBS, "sql": SQL, "receipt": ANSWER["receipt"],
        "quote": {"text": "We order for three shops, and your lorry only knows one of them.", "who": "Buyer at Fenwick Interiors", "where": "call of 4 November", "url": "/feedback/88"},
        "chain_up": CHAIN_UP, "chain_down": CHAIN_DOWN,
        "facts": [{"key": "Owner", "value": "Ada Lindqvist"}, {"key": "Promise", "value": "daily, by 7:00"}, {"key": "Target", "value": "£9.5m by 31 December"}],
    }  # fmt: skip
