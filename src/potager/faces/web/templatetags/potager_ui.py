"""The design system's tags: ``{% load potager_ui %}``. ``docs/reference/design-system.md`` shows each in use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import QueryDict
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

from potager.faces.web.templatetags import drawing
from potager.kit import words
from potager.kit.clock import now as present
from potager.kit.markdown import to_html

register = template.Library()

VERDICTS = {"yes": "Yes", "at_risk": "At risk", "no": "No", "cannot_tell": "Cannot tell"}
GRADES = {
    "high": (3, "High"), "medium": (2, "Fair"), "low": (1, "Low"), "none": (0, "None"),
    "a": (4, "A"), "b": (3, "B"), "c": (2, "C"), "d": (1, "D"),
}  # fmt: skip
_SIGN = re.compile("([+\u2212])(?=\\S)")
EVIDENCE = ("unproven", "asserted", "correlated", "predictive", "quasi-experimental", "experimental")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon. Give a label only where no text stands beside it."""
    return drawing.icon(name, label)


@register.simple_tag
def verdict(value: str, text: str = "", large: bool = False) -> SafeString:
    """Show a verdict as shape, word and color: ``yes``, ``at_risk``, ``no``, ``cannot_tell``."""
    key = str(value or "cannot_tell").strip().lower().replace(" ", "_").replace("-", "_")
    key = key if key in VERDICTS else "cannot_tell"
    return format_html(
        '<span class="verdict verdict-{}{}">{}<span>{}</span></span>',
        key.replace("_", "-"), " verdict-large" if large else "", drawing.verdict_shape(key), text or VERDICTS[key],
    )  # fmt: skip


@register.simple_tag
def value(number: Any, unit: str = "", full: bool = False) -> SafeString:
    """Show a number as people say it, exact on hover; ``full`` writes it out, for columns."""
    number = _number(number)
    if number is None:
        return format_html('<span class="unknown">{}</span>', words.UNKNOWN)
    said, whole = words.human(number, unit), words.exact(number, unit)
    if full or said == whole:
        return format_html('<data class="num" value="{}">{}</data>', str(number), whole)
    return format_html('<data class="num" value="{}" title="{}">{}</data>', str(number), whole, said)


@register.simple_tag(name="range")
def range_of(low: Any, high: Any, unit: str = "") -> SafeString:
    """Show a range in words: ``between 4 and 9 %``."""
    low, high = _number(low), _number(high)
    title = f"{words.exact(low, unit)} to {words.exact(high, unit)}"
    return format_html('<span class="num" title="{}">{}</span>', title, words.between(low, high, unit))


@register.simple_tag
def change(amount: Any, unit: str = "", good: str = "", relative: bool = True) -> SafeString:
    """Show a change. Without a unit the amount is a ratio (``-0.12`` is "down 12 %"); with one, a signed amount.

    ``good`` is ``up`` or ``down`` and says which direction is welcome; without it the change has no color.
    """
    amount = _number(amount)
    if amount is None:
        return format_html('<span class="unknown">{}</span>', words.UNKNOWN)
    text = words.signed(amount, unit) if unit or not relative else words.change(amount)
    return format_html('<span class="change num {}">{}</span>', _tone(float(amount), good), text)


@register.simple_tag
def ago(moment: date | datetime | None, empty: str = "never") -> SafeString:
    """Show how far a moment is from now, exact on hover."""
    if not moment:
        return format_html('<span class="unknown">{}</span>', empty)
    title = words.moment(moment) if isinstance(moment, datetime) else words.day(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), title, words.ago(moment, present())
    )


@register.simple_tag
def day(moment: date | None, empty: str = "no date") -> SafeString:
    """Show a day, with its year unless it is this one."""
    if not moment:
        return format_html('<span class="unknown">{}</span>', empty)
    return format_html(
        '<time datetime="{}">{}</time>', moment.isoformat(), words.day(moment, present().date())
    )


@register.filter
def markdown(text: str) -> SafeString:
    """Show text that people wrote as Markdown, cleaned."""
    return format_html('<div class="prose">{}</div>', SafeString(to_html(text)))


@register.filter
def unbroken(sentence: str) -> str:
    """Keep a sign with its amount at the end of a line: browsers would break between ``−`` and ``€``."""
    return _SIGN.sub("\\1\u2060", sentence)


@register.filter
def counted(number: int, noun: str) -> str:
    """Say a count with its noun, given in the plural: ``{{ 4|counted:"orders" }}``."""
    return words.counted(number, noun)


@register.filter
def how_many(things: Any) -> int:
    """Return a number as it is, and how many things are in anything else."""
    return things if isinstance(things, int) else len(things)


@register.filter
def human(number: Any, unit: str = "") -> str:
    """Say a number in plain text, for titles and attributes."""
    return words.human(_number(number), unit)


@register.filter
def duration(seconds: Any) -> str:
    """Say how long something takes: seconds or a timedelta."""
    return words.duration(seconds) if seconds is not None else words.UNKNOWN


@register.filter
def file_size(count: int) -> str:
    """Say a size in bytes."""
    return words.file_size(count)


@register.simple_tag
def grade(value: Any, text: str = "") -> SafeString:
    """Show a grade of confidence as seeds and a word: ``high``, ``medium``, ``low``, ``none``, or ``A`` to ``D``."""
    key = str(value or "none").lower()
    filled, name = GRADES.get(key, (0, str(value)))
    total = 4 if len(key) == 1 else 3
    return format_html(
        '<span class="grade grade-{}">{}<span>{}</span></span>',
        min(filled, 3), drawing.steps(filled, total), text or name,
    )  # fmt: skip


@register.simple_tag
def evidence(value: Any, text: str = "") -> SafeString:
    """Show how well a link is proven, from 1 (asserted) to 5 (experimental), or by its name."""
    rank = EVIDENCE.index(value) if value in EVIDENCE else int(value or 0)
    return format_html(
        '<span class="grade evidence">{}<span>{}</span></span>',
        drawing.steps(rank, 5),
        text or EVIDENCE[rank],
    )


@register.simple_tag
def spark(values: Sequence[float | None], unit: str = "", partial: bool = False) -> SafeString:
    """Draw a small line of values; ``partial`` says that the last period is not complete."""
    known = [number for number in values if words.is_known(number)]
    said = (
        "no values" if not known else f"from {words.human(known[0], unit)} to {words.human(known[-1], unit)}"
    )
    tail = ", the last period is not complete" if partial else ""
    return format_html(
        '<span class="sparkline">{}<span class="hidden">{}{}</span></span>',
        drawing.sparkline(list(values), partial=partial), said, tail,
    )  # fmt: skip


@register.inclusion_tag("ui/drivers.html")
def drivers(
    rows: Iterable[Any], unit: str = "", total: Any = None, good: str = "", title: str = "Together"
) -> dict[str, Any]:
    """Show drivers as a waterfall of rows that add up.

    A row has ``title`` and ``amount``, and ``url``, ``note`` and ``unexplained`` if any.
    """
    found = [
        {key: _of(row, key) for key in ("title", "amount", "url", "note", "unexplained")} for row in rows
    ]
    amounts = [float(row["amount"]) for row in found]
    agreed = _number(total)
    whole = sum(amounts) if agreed is None else float(agreed)
    placed, zero = drawing.waterfall(amounts)
    said = words.column([*amounts, whole], unit, sign=True)
    for row, step, text in zip(found, placed, said, strict=False):
        tone = "" if row["unexplained"] else _tone(float(row["amount"]), good)
        row["bar"] = drawing.bar(step, zero, tone or "neutral")
        row["share"] = words.grouped(float(row["amount"]) / whole * 100, 1) if whole else ""
        row["said"], row["tone"] = text, tone
    last = placed[-1].end if placed else zero
    sums = drawing.Step(min(zero, last), abs(last - zero), last >= zero, last)
    return {"rows": found, "said": said[-1], "title": title, "bar": drawing.bar(sums, zero, "total")}


@register.inclusion_tag("ui/chart.html", takes_context=True)
def chart(
    context: Mapping[str, Any],
    image: str,
    title: str,
    alt: str = "",
    spec: str = "",
    table: str = "",
    png: str = "",
    note: str = "",
    level: int = 2,
) -> dict[str, Any]:
    """Show a chart under a sentence. The image's address takes ``?theme=dark``; ``spec`` makes it interactive."""
    theme = context.get("theme") or ""
    joint = "&" if "?" in image else "?"
    return {
        "image": image, "light": f"{image}{joint}theme=light", "dark": f"{image}{joint}theme=dark", "theme": theme,
        "title": title, "alt": alt or title, "spec": spec, "table": table, "png": png, "note": note, "level": level,
    }  # fmt: skip


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, reader: str = "", hint: str = "") -> dict[str, Any]:
    """Show a form field with label, who reads it, help, errors and the control, wired for screen readers."""
    widget = bound.field.widget
    group = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    check = isinstance(widget, CheckboxInput)
    base = bound.auto_id or bound.html_name
    help_text = hint or bound.help_text
    described = [f"{base}_reader"] * bool(reader) + [f"{base}_help"] * bool(help_text)
    described += [f"{base}_error"] * bool(bound.errors)
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return {
        "bound": bound, "base": base, "reader": reader, "help": help_text, "group": group, "check": check,
        "control": "" if group else bound.as_widget(attrs=attrs), "described": " ".join(described),
        "optional": not bound.field.required and not check,
    }  # fmt: skip


@register.inclusion_tag("ui/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """Show what is wrong with a form at its top, each line leading to its field."""
    return {
        "general": form.non_field_errors(),
        "fields": [bound for bound in form if bound.errors and not bound.is_hidden],
        "count": sum(len(errors) for errors in form.errors.values()),
        "hidden": [error for bound in form.hidden_fields() for error in bound.errors],
    }


@register.inclusion_tag("ui/empty.html")
def empty(
    title: str, text: str = "", action: str = "", url: str = "", picture: str = "leaf"
) -> dict[str, Any]:
    """Show an empty place that teaches the next step."""
    return {"title": title, "text": text, "action": action, "url": url, "picture": picture}


@register.inclusion_tag("ui/progress.html")
def progress(
    done: float | None, total: float = 1.0, text: str = "", label: str = "Progress"
) -> dict[str, Any]:
    """Show how far something is; ``done`` None means that nobody knows yet."""
    share = None if done is None or not total else max(0.0, min(1.0, done / total))
    return {
        "share": share,
        "percent": None if share is None else round(share * 100),
        "text": text,
        "label": label,
    }


@register.simple_tag(takes_context=True)
def query_link(context: RequestContext, **changes: Any) -> str:
    """Return this page's address with some query parameters changed, at its first page.

    None or an empty text takes a parameter away; a list gives it several times.
    """
    request = context.get("request")
    query = QueryDict(mutable=True) if request is None else request.GET.copy()
    for name in ("cursor", "page"):
        if name not in changes:
            query.pop(name, None)
    for name, wanted in changes.items():
        query.pop(name, None)
        if isinstance(wanted, list | tuple):
            query.setlist(name, [str(each) for each in wanted])
        elif wanted is not None and wanted != "":
            query[name] = str(wanted)
    encoded = query.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.simple_tag(takes_context=True)
def sort_head(
    context: RequestContext, name: str, title: str, number: bool = False, first: str = ""
) -> SafeString:
    """Show a column's head that sorts by ``?sort=name`` and ``?sort=-name``; ``number`` sets it at the end."""
    request = context.get("request")
    current = (request.GET.get("sort", first) if request is not None else first) or ""
    state = {name: "ascending", f"-{name}": "descending"}.get(current, "none")
    wanted = f"-{name}" if state == "ascending" else name
    arrow = "" if state == "none" else drawing.icon("up" if state == "ascending" else "down")
    return format_html(
        '<th scope="col"{}{}><a href="{}">{}{}</a></th>',
        format_html(' class="number"') if number else "",
        format_html(' aria-sort="{}"', state) if state != "none" else "",
        query_link(context, sort=wanted), title, arrow,
    )  # fmt: skip


@register.inclusion_tag("ui/pages.html", takes_context=True)
def pages(
    context: RequestContext,
    shown: int,
    total: int | None = None,
    noun: str = "",
    next_cursor: str = "",
    previous: str = "",
    start: int = 1,
) -> dict[str, Any]:
    """Show which rows stand here of how many, and the way to more."""
    if total is None:
        said = words.counted(shown, noun) if noun else words.grouped(shown)
    elif shown >= total:
        said = words.of_how_many(total, total, noun)
    else:
        of = words.grouped(total) + (f"{words.NBSP}{words.noun(total, noun)}" if noun else "")
        said = f"{words.grouped(start)} to {words.grouped(start + shown - 1)} of {of}"
    return {
        "said": said,
        "next": query_link(context, cursor=next_cursor) if next_cursor else "",
        "previous": query_link(context, cursor=previous) if previous else "",
        "first": query_link(context) if start > 1 or previous else "",
    }


@register.inclusion_tag("ui/code.html")
def code(text: str, language: str = "", title: str = "") -> dict[str, Any]:
    """Show a block of code with a button that copies it."""
    return {"text": text, "language": language, "title": title}


@register.simple_tag(takes_context=True)
def person(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the name, address and initial of who is signed in; empty where nobody is."""
    user = getattr(context.get("request"), "user", None)
    email = str(getattr(user, "email", "") or "")
    full_name = getattr(user, "get_full_name", None)
    name = str((full_name() if full_name else "") or getattr(user, "name", "") or "")
    return {"name": name, "email": email, "initial": (name or email or "?")[0]}


def _tone(amount: float, good: str) -> str:
    """Return whether a movement is ``welcome`` or ``unwelcome``, or "" where nobody said which way is good."""
    if not amount or good not in ("up", "down"):
        return ""
    return "welcome" if (amount > 0) == (good == "up") else "unwelcome"


def _number(given: Any) -> words.Number | None:
    """Return a finite number, or None for everything else; a template's missing variable arrives as ""."""
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            return None
    return given if isinstance(given, int | float | Decimal) and words.is_known(given) else None


def _of(row: Any, key: str) -> Any:
    """Return a key of a mapping or an attribute of an object, or None."""
    return row.get(key) if isinstance(row, Mapping) else getattr(row, key, None)
