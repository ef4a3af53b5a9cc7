"""Two kinds of question: what did this bet do, and what did product investments return."""

from potager.insight.impact.recipes.bet import answer_impact, hops_picture, prediction_picture
from potager.insight.impact.recipes.portfolio import answer_portfolio, returns_picture
from potager.insight.impact.recipes.reading import read_impact, read_portfolio
from potager.insight.questions.recipes.registry import Kind, register

register(
    Kind(
        "impact",
        "What did this bet do?",
        answer_impact,
        about="What a bet did to its metric and to money, how that is known, and what it cost.",
        read=read_impact,
        pictures={"prediction": prediction_picture, "hops": hops_picture},
    )
)
register(
    Kind(
        "portfolio",
        "What did product investments return?",
        answer_portfolio,
        about="What was invested, what came back, how sure that is, and which claims are the weakest.",
        read=read_portfolio,
        pictures={"returns": returns_picture},
    )
)
