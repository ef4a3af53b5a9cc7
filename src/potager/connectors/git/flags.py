"""Exports of feature flags as changes shipped: when a flag was turned on or off, and to how many it was rolled out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from potager.connectors.git.changes import Change
from potager.kit.errors import Invalid, NotFound

MOST_BYTES = 64 << 20
_MEND = "Give the JSON that LaunchDarkly, Unleash or PostHog exports: flags, or their audit log."


@dataclass(frozen=True, slots=True)
class _Step:
    """One dated thing that was done to a flag."""

    flag: str
    name: str
    moment: datetime
    done: str
    author: str = ""
    environment: str = ""
    note: str = ""


def flag_changes(path: Path) -> list[Change]:
    """Return what an export of feature flags says was shipped, oldest first.

    Understood are the flags and the audit log of LaunchDarkly, the export and the events of Unleash, the flags and the
    activity log of PostHog, and a plain list of ``key``, ``name`` and dated ``changes``. Raises :class:`Invalid` with a
    sentence for what is none of these, and :class:`NotFound` where there is no file.
    """
    given = _given(path)
    for system, knows, steps in _SYSTEMS:
        items = _items(given)
        if knows(given, items):
            found: dict[str, Change] = {}
            for step in steps(given, items):
                change = _change(system, step)
                found.setdefault(change.key, change)
            return sorted(found.values(), key=lambda change: (change.shipped_at, change.key))
    raise Invalid(f"{path.name} is no export of feature flags that is known here.", mend=_MEND)


def _given(path: Path) -> Any:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", mend="Give the export of your feature flags.")
    if path.stat().st_size > MOST_BYTES:
        raise Invalid(
            f"{path.name} is larger than {MOST_BYTES >> 20} MB.", mend="Export fewer flags at a time."
        )
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path.name} is not JSON: {error}.", mend=_MEND) from error


def _items(given: Any) -> list[Mapping[str, Any]]:
    """Return the entries of an export: a list, or that under the name its system gives it."""
    listed = given if isinstance(given, list) else []
    if isinstance(given, Mapping):
        names = ("items", "results", "events", "features", "flags")
        listed = next((given[name] for name in names if isinstance(given.get(name), list)), [])
    return [item for item in listed if isinstance(item, Mapping)]


def _change(system: str, step: _Step) -> Change:
    where = f" in {step.environment}" if step.environment else ""
    moment = step.moment.isoformat(timespec="seconds")
    return Change(
        key=f"{system}#flag/{step.flag}/{step.environment or '-'}/{moment}/{step.done}"[:300],
        title=f"{step.name or step.flag}: {step.done}{where}"[:200],
        shipped_at=step.moment.date(),
        kind="flag",
        authors=(step.author,) if step.author else (),
        notes=step.note,
    )


def _moment(value: Any) -> datetime | None:
    """Return a moment of ISO 8601 or of thousandths (or seconds) since 1970; None where there is none."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return (
                datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC) if value > 0 else None
            )
        if isinstance(value, str) and value.strip():
            found = datetime.fromisoformat(value.strip())
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _text(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, (str, int, float)) else ""


def _at(value: Any, *keys: str) -> Any:
    """Return what stands under keys; None where something on the way is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _share(value: Any) -> str:
    number = (
        float(value) if isinstance(value, (int, float)) or str(value).replace(".", "", 1).isdigit() else None
    )
    return "" if number is None else f"rolled out to {number:g} %"


# -- LaunchDarkly ------------------------------------------------------------------------------------------------


def _launchdarkly(given: Any, items: Sequence[Mapping[str, Any]]) -> bool:
    return any("creationDate" in one and "key" in one for one in items) or any(
        "titleVerb" in one and "date" in one for one in items
    )


def _launchdarkly_steps(given: Any, items: Sequence[Mapping[str, Any]]) -> Iterator[_Step]:
    for one in items:
        if "titleVerb" in one:
            yield from _launchdarkly_entry(one)
            continue
        flag, name = _text(one.get("key")), _text(one.get("name"))
        author = _text(_at(one, "_maintainer", "email"))
        if moment := _moment(one.get("creationDate")):
            yield _Step(flag, name, moment, "created", author, note=_text(one.get("description")))
        environments = one.get("environments")
        for environment, state in environments.items() if isinstance(environments, Mapping) else ():
            if (moment := _moment(_at(state, "lastModified"))) and isinstance(_at(state, "on"), bool):
                weights = _at(state, "fallthrough", "rollout", "variations")
                shares = [_at(one, "weight") for one in weights] if isinstance(weights, list) else []
                largest = max((share for share in shares if isinstance(share, int)), default=None)
                done = "turned on" if state["on"] else "turned off"
                part = f", {_share(largest / 1000)}" if largest and state["on"] else ""
                yield _Step(flag, name, moment, done + part, author, environment)


def _launchdarkly_entry(one: Mapping[str, Any]) -> Iterator[_Step]:
    resources = _at(one, "target", "resources")
    words = str(resources[0]).split(":") if isinstance(resources, list) and resources else []
    named = dict(word.split("/", 1) for word in words if "/" in word)
    if one.get("kind", "flag") == "flag" and (moment := _moment(one.get("date"))):
        flag = named.get("flag", "").split(";")[0] or _text(one.get("name"))
        done = _text(one.get("titleVerb")).removesuffix(" the flag").removesuffix(" flag") or "changed"
        yield _Step(
            flag, _text(_at(one, "target", "name")) or _text(one.get("name")), moment, done,
            _text(_at(one, "member", "email")), named.get("env", "").split(";")[0], _text(one.get("comment")),
        )  # fmt: skip


# -- Unleash -----------------------------------------------------------------------------------------------------

_UNLEASH_DONE = {
    "feature-created": "created", "feature-environment-enabled": "turned on",
    "feature-environment-disabled": "turned off", "feature-archived": "archived",
    "feature-strategy-add": "strategy added", "feature-strategy-update": "strategy changed",
    "feature-strategy-remove": "strategy removed", "feature-completed": "completed",
}  # fmt: skip


def _unleash(given: Any, items: Sequence[Mapping[str, Any]]) -> bool:
    listed = isinstance(given, Mapping) and isinstance(given.get("features"), list)
    return any(
        "createdAt" in one and (listed or str(one.get("type", "")).startswith("feature-")) for one in items
    )


def _unleash_steps(given: Any, items: Sequence[Mapping[str, Any]]) -> Iterator[_Step]:
    for one in items:
        moment = _moment(one.get("createdAt"))
        if moment is None:
            continue
        kind = _text(one.get("type"))
        if kind.startswith("feature-"):
            if done := _UNLEASH_DONE.get(kind, ""):
                share = _share(_at(one, "data", "parameters", "rollout"))
                yield _Step(
                    _text(one.get("featureName")), "", moment, share or done, _text(one.get("createdBy")),
                    _text(one.get("environment")),
                )  # fmt: skip
        else:
            yield _Step(_text(one.get("name")), "", moment, "created", note=_text(one.get("description")))


# -- PostHog -----------------------------------------------------------------------------------------------------


def _posthog(given: Any, items: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        "created_at" in one and ("filters" in one or one.get("scope") == "FeatureFlag") for one in items
    )


def _posthog_steps(given: Any, items: Sequence[Mapping[str, Any]]) -> Iterator[_Step]:
    for one in items:
        moment = _moment(one.get("created_at"))
        if moment is None:
            continue
        author = _text(_at(one, "created_by", "email")) or _text(_at(one, "user", "email"))
        if "scope" in one:
            yield from _posthog_activity(one, moment, author)
            continue
        groups = _at(one, "filters", "groups")
        shares = [_at(group, "rollout_percentage") for group in groups] if isinstance(groups, list) else []
        share = max((share for share in shares if isinstance(share, (int, float))), default=None)
        # The export says what holds now: without a date of the last change only the making of the flag is dated.
        note = "" if one.get("active") is False or share is None else f"Now {_share(share)}."
        yield _Step(_text(one.get("key")), _text(one.get("name")), moment, "created", author, note=note)


def _posthog_activity(one: Mapping[str, Any], moment: datetime, author: str) -> Iterator[_Step]:
    flag = _text(_at(one, "detail", "name")) or _text(one.get("item_id"))
    if one.get("scope") != "FeatureFlag":
        return
    changes = _at(one, "detail", "changes")
    said = [_posthog_done(change) for change in changes] if isinstance(changes, list) else []
    for done in [done for done in said if done] or [_text(one.get("activity")) or "changed"]:
        yield _Step(flag, "", moment, done, author)


def _posthog_done(change: Any) -> str:
    after = _at(change, "after")
    if _at(change, "field") == "active":
        return "turned on" if after is True or after == "true" else "turned off"
    if _at(change, "field") == "rollout_percentage":
        return _share(after)
    groups = _at(after, "groups")
    shares = [_at(group, "rollout_percentage") for group in groups] if isinstance(groups, list) else []
    return _share(max((share for share in shares if isinstance(share, (int, float))), default=""))


# -- plain -------------------------------------------------------------------------------------------------------


def _plain(given: Any, items: Sequence[Mapping[str, Any]]) -> bool:
    return any("key" in one and isinstance(one.get("changes"), list) for one in items)


def _plain_steps(given: Any, items: Sequence[Mapping[str, Any]]) -> Iterator[_Step]:
    for one in items:
        changes = one.get("changes")
        for change in changes if isinstance(changes, list) else ():
            moment = _moment(_at(change, "at") or _at(change, "date"))
            if moment is None:
                continue
            on = _at(change, "on")
            state = "" if not isinstance(on, bool) else "turned on" if on else "turned off"
            done = _share(_at(change, "rollout")) or state or _text(_at(change, "done")) or "changed"
            yield _Step(
                _text(one.get("key")), _text(one.get("name")), moment, done, _text(_at(change, "author")),
                _text(_at(change, "environment")), _text(_at(change, "note")),
            )  # fmt: skip


_Knows = Callable[[Any, Sequence[Mapping[str, Any]]], bool]
_Steps = Callable[[Any, Sequence[Mapping[str, Any]]], Iterator[_Step]]
_SYSTEMS: tuple[tuple[str, _Knows, _Steps], ...] = (
    ("flags", _plain, _plain_steps),
    ("launchdarkly", _launchdarkly, _launchdarkly_steps),
    ("posthog", _posthog, _posthog_steps),
    ("unleash", _unleash, _unleash_steps),
)
