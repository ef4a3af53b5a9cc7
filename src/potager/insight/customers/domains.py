"""From an e-mail address to the company: addresses, their domains, and the domains that say nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from potager.kit.errors import FieldProblem, Invalid

_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s]+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
LONGEST_ADDRESS = 254  # RFC 5321, §4.5.3.1.3


def email_of(text: str) -> str:
    """Return an address in the one form it is kept in: lower case; Invalid where it is none."""
    found = text.strip().removeprefix("mailto:").lower()
    local, _, domain = found.rpartition("@")
    if len(found) > LONGEST_ADDRESS or not local or not _ADDRESS.fullmatch(found) or not _is_domain(domain):
        problem = FieldProblem(
            "email", f"{text[:80]!r} is not an e-mail address.", "Write it as name@domain."
        )
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    return f"{local}@{_ascii(domain)}"


def domain_of(text: str) -> str:
    """Return a mail domain in the one form it is kept in, from a domain or a web address; Invalid where it is none."""
    found = re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/")[0].split("?")[0].partition(":")[0]
    found = found.removeprefix("@").removeprefix("www.").rstrip(".")
    if not _is_domain(found):
        problem = FieldProblem("domains", f"{text[:80]!r} is not a domain.", "Write it as example.com.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    return _ascii(found)


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _is_domain(text: str) -> bool:
    labels = _ascii(text).split(".")
    return len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


@lru_cache(maxsize=1)
def _public() -> tuple[frozenset[str], frozenset[str]]:
    text = files("potager.insight.customers").joinpath("public_mail_domains.txt").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = frozenset(line for line in lines if not line.endswith(".*"))
    return whole, frozenset(line.removesuffix(".*") for line in lines if line.endswith(".*"))


def is_public(domain: str) -> bool:
    """Return whether anybody can have an address at this domain: it never makes an account."""
    whole, everywhere = _public()
    labels = domain.split(".")
    by_country = labels[0] in everywhere and (
        len(labels) == 2 or (len(labels) == 3 and labels[1] in {"co", "com", "ne", "or"})
    )
    return domain in whole or by_country


def company_domains(email: str) -> list[str]:
    """Return the domains that may be a company's, the nearest first: ``eu.acme.com``, ``acme.com``; none if public."""
    domain = email.rpartition("@")[2]
    if not domain or is_public(domain):
        return []
    labels = domain.split(".")
    return [".".join(labels[n:]) for n in range(len(labels) - 1) if not is_public(".".join(labels[n:]))]
