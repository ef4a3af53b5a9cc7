"""Checking a record before it is kept, with a sentence for each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.core.exceptions import ValidationError

from potager.ground.records.models import Record
from potager.kit.errors import FieldProblem, Invalid

R = TypeVar("R", bound=Record)


def as_invalid(error: ValidationError, what: str) -> Invalid:
    """Return Django's validation error as a problem that names each field."""
    if hasattr(error, "error_dict"):
        found = [
            FieldProblem("" if field == "__all__" else field, message)
            for field, messages in error.message_dict.items()
            for message in messages
        ]
    else:
        found = [FieldProblem("", message) for message in error.messages]
    sentence = "; ".join(f"{e.where}: {e.problem}" if e.where else e.problem for e in found)
    return Invalid(
        f"{what} cannot be kept: {sentence}", mend="Correct what is named and send it again.", errors=found
    )


def checked(record: R) -> R:
    """Return the record if every field, constraint and uniqueness rule holds; otherwise say which does not."""
    for field in record._meta.concrete_fields:
        # Django does not check optional fields for null; in text, nothing is written as no text at all.
        if not field.null and field.empty_strings_allowed and getattr(record, field.attname) is None:
            setattr(record, field.attname, "")
    nulls = [
        field.name for field in record._meta.concrete_fields if _holds_null(getattr(record, field.attname))
    ]
    if nulls:
        # PostgreSQL can keep none, in text or in JSON; SQLite would, and a backup of it could not be moved.
        found = [FieldProblem(name, "The text holds a null character.", "Remove it.") for name in nulls]
        sentence = "; ".join(f"{problem.where}: {problem.problem}" for problem in found)
        raise Invalid(f"This {record.noun()} cannot be kept: {sentence}", mend="Remove it.", errors=found)
    try:
        record.full_clean()
    except ValidationError as error:
        raise as_invalid(error, f"This {record.noun()}") from error
    return record


def _holds_null(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_null(key) or _holds_null(part) for key, part in value.items())
    return isinstance(value, list | tuple) and any(map(_holds_null, value))


def keep(record: R) -> R:
    """Check the record and keep it. Called by actions only."""
    checked(record).save()
    return record
