"""Fetching from addresses that people typed, without becoming their way into the private network (SSRF)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from potager.kit.errors import FieldProblem, Invalid, Unavailable


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: status, the first part of the body, and headers."""

    status: int
    body: str
    headers: Mapping[str, str]


def _refuse(url: str, problem: str) -> Invalid:
    mend = "Use a public https address, or ask the operator to allow this network."
    return Invalid(
        f"{url} cannot be called: {problem}", mend=mend, errors=[FieldProblem("url", problem, mend)]
    )


def public_address(url: str, *, allowed: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return ``(host, one public IP address)`` for ``url`` or refuse with a sentence.

    Every address that the name resolves to must be public; ``allowed`` lists networks (CIDR) the operator opened.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _refuse(url, "only http and https addresses with a host can be called.")
    if parts.username or parts.password:
        raise _refuse(url, "an address must not carry a user name or password.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except ValueError as error:
        raise _refuse(url, "the port is not a number between 1 and 65535.") from error
    except OSError as error:
        raise Unavailable(
            f"The name {parts.hostname} does not resolve.", mend="Check the address."
        ) from error
    networks = [ipaddress.ip_network(network) for network in allowed]
    addresses = [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in found]
    for address in addresses:
        address = getattr(address, "ipv4_mapped", None) or address
        if not address.is_global and not any(address in network for network in networks):
            raise _refuse(url, f"{parts.hostname} is the private address {address}.")
    return parts.hostname, str(addresses[0])


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float = 10,
    allowed: tuple[str, ...] = (),
    largest: int = 64_000,
) -> Answer:
    """POST to a public address. The connection goes to the address that was checked, so a name cannot change
    between check and call (DNS rebinding); redirects are not followed; at most ``largest`` bytes are read.
    """
    import httpx

    host, address = public_address(url, allowed=allowed)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    pinned = urlunsplit(parts._replace(netloc=f"{literal}:{parts.port}" if parts.port else literal))
    host_header = f"{host}:{parts.port}" if parts.port else host
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                pinned,
                content=body,
                headers={**headers, "Host": host_header},
                extensions={"sni_hostname": host},
            ) as response,
        ):
            read = b""
            for chunk in response.iter_bytes():
                read += chunk
                if len(read) >= largest:
                    break
            return Answer(
                response.status_code, read[:largest].decode("utf-8", "replace"), dict(response.headers)
            )
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{host} did not answer: {error or type(error).__name__}.", mend="Try again later."
        ) from error
