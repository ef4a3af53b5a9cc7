"""Commands derived from the OpenAPI document: ``potager CONTEXT NOUN VERB``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import click

from potager.faces.api.operations import Operation, Parameter, operations

_TYPES: dict[str, Any] = {"integer": click.INT, "number": click.FLOAT, "boolean": click.BOOL}


@lru_cache(maxsize=1)
def contexts() -> dict[str, str]:
    """Return the contexts of the API with the nouns in each."""
    found: dict[str, list[str]] = {}
    for op in operations().values():
        context, noun, _ = op.words
        nouns = found.setdefault(context, [])
        if noun not in nouns:
            nouns.append(noun)
    return {context: ", ".join(nouns) for context, nouns in sorted(found.items())}


def context_command(name: str) -> click.Command | None:
    """Return the group of one context's commands, or nothing where there is no such context."""
    if name not in contexts():
        return None
    group = click.Group(name, help=f"Operations on {contexts()[name]}.")
    for op in operations().values():
        context, noun, verb = op.words
        if context == name:
            inner = group.commands.get(noun)
            if inner is None:
                inner = click.Group(noun, help=f"Operations on {noun}.")
                group.add_command(inner)
            assert isinstance(inner, click.Group)
            inner.add_command(_command(op, verb))
    if name == "metrics":
        from potager.faces.cli.daily import metrics_import, metrics_new

        group.add_command(metrics_new)
        group.add_command(metrics_import)
    return group


def _command(op: Operation, verb: str) -> click.Command:
    def call(**given: Any) -> None:
        from potager.faces.cli.output import show
        from potager.faces.cli.session import caller

        context = click.get_current_context()
        given = {names[name]: value for name, value in given.items() if value is not None}
        for parameter in op.parameters:
            if parameter.type in {"object", "array"} and isinstance(given.get(parameter.name), str):
                given[parameter.name] = parameter.read(given[parameter.name])
        show(context, caller(context).send(op, given))

    names = {parameter.name.replace("-", "_"): parameter.name for parameter in op.parameters}
    return click.Command(
        verb,
        callback=call,
        params=[_click(parameter) for parameter in op.parameters],
        help=op.summary,
        short_help=op.summary,
    )


def _click(parameter: Parameter) -> click.Parameter:
    name = parameter.name.replace("-", "_")
    if parameter.place == "path":
        return click.Argument([name], metavar=parameter.name.upper())
    kind = _TYPES.get(parameter.type, click.STRING)
    if parameter.choices:
        kind = click.Choice(parameter.choices)
    return click.Option(
        [f"--{parameter.name.replace('_', '-')}", name],
        type=kind,
        required=parameter.required,
        help=parameter.help,
    )
