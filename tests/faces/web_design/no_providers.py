"""A stand-in for allauth's social tags, which ask the database for providers."""

from django import template

register = template.Library()


@register.simple_tag
def get_providers() -> list[object]:
    return []
