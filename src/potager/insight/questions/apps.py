"""The questions context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class QuestionsConfig(Context):
    """Strategic questions and their answers."""

    name = "potager.insight.questions"
    label = "questions"
    pillar = "insight"
    title = "Questions"
    permissions = (
        Permission("questions.read", "See questions and answers", Role.VIEWER),
        Permission("questions.ask", "Ask questions", Role.VIEWER),
        Permission("questions.edit", "Keep questions, their rules and actions", Role.CONTRIBUTOR),
    )

    def ready(self) -> None:
        """Enter the kinds of question that every metric can be asked."""
        super().ready()
        from importlib import import_module

        import_module("potager.insight.questions.recipes.standard")
