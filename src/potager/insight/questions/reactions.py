"""What questions do when others announce something."""

from __future__ import annotations

from potager.ground.events.bus import reacts_to
from potager.insight.metrics.events import DefinitionChanged
from potager.insight.questions import digest as digest  # its schedule and its job register themselves
from potager.insight.questions.upkeep import ask_again_soon


@reacts_to(DefinitionChanged)
def ask_again_what_rests_on_it(event: DefinitionChanged) -> None:
    """A metric means something else: what was answered with it is asked again at the next turn."""
    ask_again_soon(event.metric)
