"""Calling the API: over the network with a token, or in this process on the operator's own machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from potager.faces.api.operations import Operation, operation
from potager.kit.errors import FieldProblem, NotFound, Problem, Unavailable

if TYPE_CHECKING:
    import httpx

    from potager.ground.access.actors import Actor

LOCAL_ACTOR = "potager.actor"  # a key that no network request can set: those all begin with HTTP_


class Answered(Problem):
    """A problem that the server answered with, as it was said there."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        errors = [FieldProblem(**error) for error in document.get("errors", [])]
        super().__init__(str(document.get("detail", "")), mend=str(document.get("mend", "")), errors=errors)
        self.status = int(document.get("status", 500))  # type: ignore[misc]
        self.title = str(document.get("title", ""))  # type: ignore[misc]


class Caller:
    """Runs operations. ``face`` says through which face, for the audit."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    @classmethod
    def remote(cls, server: str, token: str, *, face: str) -> Caller:
        """Return a caller of a server elsewhere."""
        import httpx

        headers = {"Authorization": f"Bearer {token}", "X-Potager-Face": face}
        return cls(httpx.Client(base_url=server.rstrip("/"), headers=headers, timeout=120))

    @classmethod
    def local(cls, actor: Actor) -> Caller:
        """Return a caller inside this process, acting as ``actor``; Django must be set up."""
        import httpx

        application = _application()

        def with_actor(environ: dict[str, Any], start_response: Any) -> Any:
            environ[LOCAL_ACTOR] = actor
            return application(environ, start_response)

        transport = httpx.WSGITransport(app=with_actor, raise_app_exceptions=True)
        return cls(httpx.Client(transport=transport, base_url="http://127.0.0.1"))

    def run(self, name: str, given: Mapping[str, Any] | None = None, *, file: Path | None = None) -> Any:
        """Run one operation and return what it answers; problems are raised as they were answered."""
        return self.send(operation(name), given or {}, file=file)

    def send(self, op: Operation, given: Mapping[str, Any], *, file: Path | None = None) -> Any:
        """Send one operation's request."""
        import httpx

        path, query, body = op.request(given if file is None else {**given, "file": file.name})
        headers = {}
        if op.writes:
            import uuid

            headers["Idempotency-Key"] = str(uuid.uuid4())  # a retry of this very request is done once
        try:
            if file is not None:
                body.pop("file")  # its name stood for it; the bytes are sent beside the other parts
                with file.open("rb") as stream:
                    response = self.http.request(
                        op.method,
                        path,
                        params=query,
                        data=body,
                        files={"file": (file.name, stream)},
                        headers=headers,
                    )
            else:
                response = self.http.request(op.method, path, params=query, json=body, headers=headers)
        except httpx.HTTPError as error:
            address = self.http.base_url
            mend = "Is it running? Start it with 'potager serve', or give another --server."
            raise Unavailable(f"The server at {address} does not answer: {error}.", mend=mend) from error
        return _read(response)

    def every(self, name: str, given: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield the items of a list operation, page after page."""
        cursor = ""
        while True:
            page = self.run(name, {**(given or {}), "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return


@lru_cache(maxsize=1)
def _application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _read(response: httpx.Response) -> Any:
    kind = response.headers.get("content-type", "")
    if response.status_code >= 400:
        if "json" in kind:
            raise Answered(response.json())
        raise NotFound(
            f"The server answered {response.status_code} to {response.request.url.path}.",
            mend="Is this a Potager server, of the same version?",
        )
    if "json" in kind:
        return response.json()
    return response.text if kind.startswith("text/") else response.content
