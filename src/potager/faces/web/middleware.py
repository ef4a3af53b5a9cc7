"""Problems raised anywhere under a page become the page of that problem."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from potager.kit.errors import Invalid, NotSignedIn, Problem


class ProblemPages:
    """Turns a :class:`Problem` raised by a page into its page, or into the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass through, except an address with a null character, which no database can look for."""
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            from potager.faces.web.problems import problem_page

            return problem_page(request, Invalid("The address holds a null character.", mend="Remove %00."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a problem; leave everything else to the page for broken things."""
        if not isinstance(exception, Problem):
            return None
        from django.contrib.auth.views import redirect_to_login

        from potager.faces.web.problems import problem_page

        if isinstance(exception, NotSignedIn):
            return redirect_to_login(request.get_full_path())
        return problem_page(request, exception)
