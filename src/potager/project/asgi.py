"""The web server's entry point: pages and API through Django, assistants at ``/mcp``."""

from __future__ import annotations

import os
import warnings
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "potager.project.settings")
_django = get_asgi_application()
# Static files and lists of rows set aside are read whole, in a thread; they are small enough for that.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

from potager.faces.mcp.http import application as _assistants  # noqa: E402 - needs Django's registry

_mcp = _assistants()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Send each request where it belongs; the server's start and end concern the assistants' door only."""
    if scope["type"] == "lifespan" or scope.get("path", "") == "/mcp":
        await _mcp(scope, receive, send)
    else:
        await _django(scope, receive, send)
