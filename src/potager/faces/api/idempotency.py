"""Idempotency keys: a write that is sent again with the same key is answered again, not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from potager.ground.serving.models import KeptAnswer
from potager.kit.clock import now
from potager.kit.errors import Conflict, Invalid

KEPT_FOR = timedelta(days=1)
LARGEST_BODY = 1_000_000
TOO_MANY = 429  # is answered anew when it is sent again later


class IdempotencyKeys:
    """Keeps the answer in the same transaction as the write, so that a crash keeps both or neither."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer from what was kept, or do it and keep the answer."""
        key = request.headers.get("Idempotency-Key", "")
        if not key or not request.path.startswith("/api/") or request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        from potager.faces.api.root import problem_response

        if len(key) > 200:
            return problem_response(request, Invalid("The Idempotency-Key is longer than 200 characters."))
        # The credential, not the person: another token's key is another key.
        credential = request.headers.get("Authorization") or request.COOKIES.get("potager_session", "")
        actor = hashlib.sha256(credential.encode()).hexdigest()
        large = int(request.headers.get("Content-Length") or 0) > LARGEST_BODY
        body = b"" if large else request.body
        fingerprint = hashlib.sha256(
            f"{request.method} {request.get_full_path()}\n".encode() + body
        ).hexdigest()
        try:
            with transaction.atomic():
                KeptAnswer.objects.filter(actor=actor, key=key, at__lt=now() - KEPT_FOR).delete()
                kept = KeptAnswer.objects.filter(actor=actor, key=key).first()
                if kept is not None:
                    return self._again(request, kept, fingerprint)
                response = self.get_response(request)
                if response.status_code < 500 and response.status_code != TOO_MANY and not response.streaming:
                    KeptAnswer.objects.create(
                        actor=actor,
                        key=key,
                        fingerprint=fingerprint,
                        status=response.status_code,
                        content_type=response.headers.get("Content-Type", ""),
                        body=response.content,
                        etag=response.headers.get("ETag", ""),
                    )
                return response
        except IntegrityError:
            mend = "Ask again in a moment: the first request will have been answered."
            return problem_response(request, Conflict("The same key is being used right now.", mend=mend))

    def _again(self, request: HttpRequest, kept: KeptAnswer, fingerprint: str) -> HttpResponse:
        from potager.faces.api.root import problem_response

        if kept.fingerprint != fingerprint:
            mend = "Use a new key for a new request."
            return problem_response(
                request, Invalid("This Idempotency-Key was used for another request.", mend=mend)
            )
        response = HttpResponse(bytes(kept.body), status=kept.status, content_type=kept.content_type)
        response["Idempotency-Replayed"] = "true"
        if kept.etag:
            response["ETag"] = kept.etag
        return response
