"""All addresses: the API, the assistants' door, sign-in, and the pages of every context."""

from __future__ import annotations

from django.urls import include, path

from potager.faces.api.root import api
from potager.faces.web.urls import urlpatterns as pages

urlpatterns = [
    path("api/", api.urls),
    path("account/", include("allauth.urls")),
    *pages,
]

handler400 = "potager.faces.web.problems.bad_request"
handler403 = "potager.faces.web.problems.not_allowed"
handler404 = "potager.faces.web.problems.not_found"
handler500 = "potager.faces.web.problems.broken"
