"""Every operation of the API as a page: what it does, a form to run it, and the same call elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from potager.faces.api.calling import Caller
from potager.faces.api.operations import Operation, Parameter, operation, operations
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.errors import Problem

LONGEST_ANSWER = 60_000


@signed_in
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show all operations, by context."""
    ordered = sorted(operations().values(), key=lambda op: op.words)
    shown = {
        "page_title": "Operations",
        "page_about": "All that can be done here: by API, command line and assistants, and from these pages.",
        "groups": [
            {"title": context, "operations": list(several)}
            for context, several in groupby(ordered, key=lambda op: op.words[0])
        ],
        "count": len(ordered),
    }
    return render(request, "house/operations.html", shown)


@signed_in
def one(request: HttpRequest, name: str) -> HttpResponseBase:
    """Show an operation, and run it where it was sent."""
    op = operation(name)
    sent = request.POST if request.method == "POST" else None
    form = OperationForm(op, sent, initial=request.GET.dict())
    answer, status = None, 200
    if form.is_valid():
        try:
            answer = _text(Caller.local(actor(request)).send(op, form.given))
        except Problem as problem:
            problems_on(form, problem)
            status = problem.status
    given = form.given if form.is_bound and form.is_valid() else {}
    shown = {
        "page_title": op.summary.rstrip("."),
        "page_about": f"{op.method.upper()} {op.path}",
        "crumbs": [{"title": "Operations", "url": reverse("operations")}],
        "op": op,
        "form": form,
        "answer": answer,
        "submit": "Do it" if op.writes else "Ask",
        "elsewhere": elsewhere(op, given, request.build_absolute_uri("/").rstrip("/")),
    }
    return render(request, "house/operation.html", shown, status=status)


class OperationForm(forms.Form):
    """The inputs of one operation; ``given`` are those that were filled in, as the operation takes them."""

    given: dict[str, Any]

    def __init__(self, op: Operation, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operation, self.given = op, {}
        for parameter in op.parameters:
            self.fields[parameter.name] = _field(parameter)

    def clean(self) -> dict[str, Any]:
        """Read every input that was filled in."""
        for parameter in self.operation.parameters:
            text = self.cleaned_data.get(parameter.name)
            if text in (None, ""):
                continue
            try:
                self.given[parameter.name] = parameter.read(str(text))
            except Problem as problem:
                self.add_error(parameter.name, problem.detail)
        return self.cleaned_data


def _field(parameter: Parameter) -> forms.Field:
    common: dict[str, Any] = {
        "label": parameter.name.replace("_", " ").capitalize(),
        "required": parameter.required,
        "help_text": parameter.help,
    }
    choices = parameter.choices
    if choices:
        blank = [] if parameter.required else [("", "as usual")]
        return forms.ChoiceField(choices=[*blank, *((one, one) for one in choices)], **common)
    if parameter.type == "object" or parameter.name == "text":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 6}), **common)
    return forms.CharField(**common)


def _text(answer: Any) -> str:
    if isinstance(answer, bytes):
        return f"{len(answer):,} bytes: open the address to see them."
    text = answer if isinstance(answer, str) else json.dumps(answer, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_ANSWER else f"{text[:LONGEST_ANSWER]}\n… (shortened)"


def elsewhere(op: Operation, given: Mapping[str, Any], address: str) -> list[tuple[str, str]]:
    """Return the same call on the command line, over the API, and by an assistant; inputs not given are named."""
    named = {
        p.name: given.get(p.name, p.name.upper()) for p in op.parameters if p.required or p.name in given
    }
    options = " ".join(
        _said(value) if place == "path" else f"--{name.replace('_', '-')} {_said(value)}"
        for place, name, value in ((_place(op, name), name, value) for name, value in named.items())
    )
    path, query, body = op.request(named)
    url = f"{address}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    curl = ["curl", '-H "Authorization: Bearer $POTAGER_TOKEN"']
    if op.writes:
        curl.append(f"-X {op.method.upper()}")
    if op.takes_file:
        curl += [f"-F {name}={'@' if name == 'file' else ''}{_said(value)}" for name, value in named.items()]
    elif body is not None:
        curl += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(body))}"]
    assistant = json.dumps({"name": op.id, "given": named}, ensure_ascii=False)
    return [
        ("Command line", f"potager {' '.join(op.words)} {options}".rstrip()),
        ("API", " ".join([*curl, shlex.quote(url)])),
        ("Assistant (run_operation)", assistant),
    ]


def _place(op: Operation, name: str) -> str:
    return next(parameter.place for parameter in op.parameters if parameter.name == name)


def _said(value: Any) -> str:
    return shlex.quote(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
