"""Markdown to HTML that is safe to show: CommonMark through markdown-it, then an allow-list through nh3."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt

_TAGS = {
    "a", "abbr", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str:
    """Return sanitized HTML for ``text``; raw HTML, scripts, styles and images from elsewhere do not survive."""
    import nh3

    return nh3.clean(
        _parser().render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
