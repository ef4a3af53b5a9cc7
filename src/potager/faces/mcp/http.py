"""MCP over streamable HTTP, at ``/mcp`` of the web server: each call acts with the bearer token it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from potager.faces.api.calling import Caller
from potager.faces.mcp.server import build
from potager.kit.errors import NotSignedIn

if TYPE_CHECKING:
    from starlette.applications import Starlette


def _caller(context: Any) -> Caller:
    from potager.ground.access.actors import NOBODY, actor_of_token

    header = context.request_context.request.headers.get("authorization", "")
    scheme, _, secret = header.partition(" ")
    found = actor_of_token(secret.strip(), via="mcp") if scheme.lower() == "bearer" else NOBODY
    if found is NOBODY:
        raise NotSignedIn("Nobody is signed in.", mend="Send an API token as 'Authorization: Bearer pot_…'.")
    return Caller.local(found)


def application() -> Starlette:
    """Return the ASGI application that answers at ``/mcp``."""
    return build(_caller).streamable_http_app(
        streamable_http_path="/mcp", stateless_http=True, json_response=True
    )
