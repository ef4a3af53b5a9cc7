"""A null character is no text: PostgreSQL cannot keep one, so nobody is let think that it was kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.insight.shop import SHOP, Shop

pytestmark = pytest.mark.django_db
NUL = "\x00"
ABOUT = {"metric": "revenue", "period": "2024-02"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/ask", {"text": f"Why did revenue {NUL} move?"}),
        ("post", "/questions", {"words": f"a{NUL}b", "recipe": "change", "slots": ABOUT}),
        ("post", "/questions", {"words": "ab", "recipe": "change", "slots": {**ABOUT, "weed": NUL}}),
        ("post", "/questions", {"words": "ab", "recipe": "change", "slots": {**ABOUT, f"weed{NUL}": "x"}}),
        ("post", "/answers", {"recipe": "change", "slots": {**ABOUT, "weed": [{"a": NUL}]}}),
        ("post", "/definitions", {"name": "y.yml", "namespace": "shop", "text": f"# {NUL}\n{SHOP}"}),
        ("post", "/definitions", {"name": f"y{NUL}.yml", "namespace": "shop", "text": "metrics: []"}),
        ("post", "/metrics/revenue/targets", {"value": 1, "period": "2024", "note": NUL}),
        ("patch", "/metrics/revenue", {"synonyms": [NUL]}),
        ("patch", "/metrics/revenue", {"benchmark": {"a": NUL}}),
        ("patch", "/metrics/revenue", {"pitfalls": NUL}),
    ],
)
def test_text_with_a_null_character_is_refused(
    shop: Shop, ada: Any, method: str, path: str, body: dict[str, Any]
) -> None:
    told = ada.call(method, path, body)
    assert told.status_code == 422
    assert "null character" in told.content.decode() or "control character" in told.content.decode()


def test_looking_for_a_null_character_is_refused_with_a_sentence(shop: Shop, ada: Any) -> None:
    for path in ("/metrics?search=%00", "/questions?search=%00", "/metrics/%00"):
        told = ada.call("get", path)
        assert told.status_code == 422 and "null character" in told.json()["detail"], path
    for path in ("/questions/?q=%00", "/metrics/?q=%00", "/metrics/?owner=%00", "/ask?q=%00"):
        told = ada.browser.get(path)
        assert told.status_code == 422 and "null character" in told.content.decode(), path
