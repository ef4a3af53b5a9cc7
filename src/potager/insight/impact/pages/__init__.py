"""The bet ledger, as pages."""

from __future__ import annotations

from django.urls import path

from potager.ground.serving.rendering import Command, NavItem
from potager.insight.impact.pages import bets, charts, group, overview, writing
from potager.insight.impact.pages.home import alive, needs_you

__all__ = ["alive", "commands", "nav", "needs_you", "urlpatterns"]

nav = (NavItem("Impact", "impact", "impact", "impact.read"),)
commands = (
    Command("See what product investments returned", "impact", "impact.read", "the bet ledger"),
    Command("Print the CFO's page", "impact-sheet", "impact.read", "one sheet, with a receipt"),
    Command("Register a bet", "bet-new", "impact.edit", "before it is launched"),
    Command("See how good our predictions are", "impact-calibration", "impact.read"),
    Command("See the portfolio of bets", "impact-portfolio", "impact.read", "run, grow, transform"),
)

urlpatterns = [
    path("impact/", overview.ledger_page, name="impact"),
    path("impact/sheet", overview.sheet, name="impact-sheet"),
    path("impact/calibration", group.calibration_page, name="impact-calibration"),
    path("impact/portfolio", group.portfolio_page, name="impact-portfolio"),
    path("impact/picture/<slug:name>.<str:form>", charts.ledger_picture, name="impact-picture"),
    path("impact/bets/new", writing.new, name="bet-new"),
    path("impact/bets/<slug:key>", bets.one, name="bet"),
    path("impact/bets/<slug:key>/edit", writing.edit, name="bet-edit"),
    path("impact/bets/<slug:key>/design", writing.design, name="bet-design"),
    path("impact/bets/<slug:key>/launch", writing.launch, name="bet-launch"),
    path("impact/bets/<slug:key>/observe", writing.observe, name="bet-observe"),
    path("impact/bets/<slug:key>/close", writing.close, name="bet-close"),
    path("impact/bets/<slug:key>/<slug:name>.<str:form>", charts.bet_picture, name="bet-picture"),
]
