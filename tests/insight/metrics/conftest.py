"""The same small shop as the questions'."""

from tests.insight.questions.conftest import lake_folder, shop

__all__ = ["lake_folder", "shop"]
