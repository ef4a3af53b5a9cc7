"""The few settings that templates need, so that the gallery can be looked at without the rest of Potager."""

SECRET_KEY = "gallery"
STATIC_URL = "/static/"
USE_TZ = True
ROOT_URLCONF = "tests.faces.web_design.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "allauth", "allauth.account"]
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
