"""The metric tree: no card on another, every edge drawn once, readable by machine, mouse, keyboard and ear."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potager.kit.charts import TreeEdge, TreeNode, TreePicture, file_tree, page_rules, page_tree, svg_to_png
from potager.kit.charts.theme import DARK, LIGHT
from potager.kit.charts.tree_layout import lay_out
from potager.kit.errors import Invalid
from tests.kit.charts.samples import TREE

SVG = "{http://www.w3.org/2000/svg}"
CARD = (200.0, 100.0)


@st.composite
def graphs(draw: st.DrawFn) -> TreePicture:
    """Draw a forest over which some children have further parents, and influences lie anywhere."""
    count = draw(st.integers(1, 60))
    nodes = tuple(TreeNode(str(number), f"Metric {number}") for number in range(count))
    edges = []
    for number in range(1, count):
        for parent in draw(st.sets(st.integers(0, number - 1), max_size=2)):
            edges.append(TreeEdge(str(parent), str(number), operator=draw(st.sampled_from("+×−÷"))))
    ends = st.integers(0, count - 1)
    for parent, child in draw(st.lists(st.tuples(ends, ends), max_size=6)):
        if parent != child:
            edges.append(
                TreeEdge(str(parent), str(child), "influence", lag="2 months later", evidence="belief")
            )
    return TreePicture(nodes, tuple(edges))


directions = st.sampled_from(["right", "down"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(graphs(), directions)
def test_no_card_stands_on_another_and_children_stand_beyond_their_parents(
    picture: TreePicture, direction: Any
):
    layout = lay_out(picture, card=CARD, direction=direction)
    assert set(layout.boxes) == {node.id for node in picture.nodes}
    for one, other in combinations(layout.boxes.values(), 2):
        assert not one.touches(other, 15.9)
    for box in layout.boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.right <= layout.width
        assert box.bottom <= layout.height
    for edge in picture.edges:
        if edge.kind == "component":
            assert layout.depths[edge.child] > layout.depths[edge.parent]
    for child, parent in layout.parents.items():
        assert layout.depths[child] == layout.depths[parent] + 1


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(graphs(), st.sets(st.integers(0, 59).map(str), max_size=6), directions)
def test_folding_leaves_a_tidy_tree_and_counts_what_is_gone(
    picture: TreePicture, folded: set[str], direction: Any
):
    layout = lay_out(picture, card=CARD, direction=direction, collapsed=folded)
    for one, other in combinations(layout.boxes.values(), 2):
        assert not one.touches(other, 15.9)
    gone = {node.id for node in picture.nodes} - set(layout.boxes)
    assert all(parent not in folded for parent in layout.parents.values())
    assert set(layout.folded) <= folded
    assert not gone or max(layout.folded.values()) <= len(gone)
    assert bool(gone) == bool(layout.folded)


def test_parents_stand_over_the_middle_of_their_children():
    nodes = tuple(TreeNode(name, name) for name in "abcd")
    layout = lay_out(TreePicture(nodes, tuple(TreeEdge("a", child) for child in "bcd")), card=CARD)
    assert layout.boxes["a"].y == layout.boxes["c"].y
    assert [layout.boxes[name].y for name in "bcd"] == sorted(layout.boxes[name].y for name in "bcd")


def test_a_tree_of_two_hundred_and_a_chain_of_two_hundred_are_laid_out():
    nodes = tuple(TreeNode(str(number), f"Metric {number}", "12") for number in range(200))
    wide = TreePicture(
        nodes, tuple(TreeEdge(str((number - 1) // 3), str(number)) for number in range(1, 200))
    )
    long = TreePicture(nodes, tuple(TreeEdge(str(one), str(one + 1)) for one in range(199)))
    assert len(lay_out(wide, card=CARD).boxes) == 200
    assert max(lay_out(long, card=CARD).depths.values()) == 199
    assert page_tree(wide).count('data-node="') == 200


def test_a_circle_of_components_is_refused_by_name():
    nodes = tuple(TreeNode(name, f"Metric {name}") for name in "abc")
    circle = TreePicture(nodes, (TreeEdge("a", "b"), TreeEdge("b", "c"), TreeEdge("c", "a")))
    with pytest.raises(Invalid, match="runs in a circle") as caught:
        page_tree(circle)
    assert "Metric a" in caught.value.mend
    with pytest.raises(Invalid, match="circle"):
        page_tree(TreePicture(nodes, (TreeEdge("a", "a"),)))


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [
        ((), ()),
        ((TreeNode("a", "A"), TreeNode("a", "B")), ()),
        ((TreeNode("a", "A"),), (TreeEdge("a", "nobody"),)),
        ((TreeNode("a", "A", verdict="maybe"),), ()),  # type: ignore[arg-type]
        (tuple(TreeNode(str(number), "x") for number in range(500)), ()),
    ],
)
def test_trees_that_cannot_be_drawn_are_refused(nodes: tuple[TreeNode, ...], edges: tuple[TreeEdge, ...]):
    with pytest.raises(Invalid):
        TreePicture(nodes, edges)


# -- the page ----------------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(graphs(), directions)
def test_the_page_s_tree_is_well_formed_and_has_no_inline_style(picture: TreePicture, direction: Any):
    root = ElementTree.fromstring(page_tree(picture, direction=direction))
    for element in root.iter():
        assert "style" not in element.attrib
        assert element.tag != f"{SVG}style"
        assert not any(name.startswith("on") for name in element.attrib)
    drawn = [element.attrib["data-node"] for element in root.iter() if "data-node" in element.attrib]
    assert sorted(drawn) == sorted(node.id for node in picture.nodes)


def test_cards_are_links_that_say_everything_and_name_their_parent():
    root = ElementTree.fromstring(page_tree(TREE))
    nodes = {element.attrib["data-node"]: element for element in root.iter() if "data-node" in element.attrib}
    assert nodes["cust"].attrib["data-parent"] == "rev"
    assert "data-parent" not in nodes["rev"].attrib
    link = nodes["rev"].find(f"{SVG}a")
    assert link is not None
    assert link.attrib["href"] == "/metrics/rev"
    assert link.attrib["aria-label"] == (
        "Net revenue: £1.46m, target £1.2m, yes, change +37 % (welcome), strategic level"
    )
    assert link.findtext(f"{SVG}title") == link.attrib["aria-label"]
    assert "Average <order> & value" in "".join(nodes["aov"].itertext())
    assert "level-strategic" in nodes["rev"].attrib["class"]
    assert root.attrib["role"] == "group"
    assert (
        "Net revenue is made of Active customers times Average <order> & value." in root.attrib["aria-label"]
    )
    assert "New customers is influenced by Waiting time." in root.attrib["aria-label"]


def test_verdicts_have_a_shape_and_a_word_and_changes_a_sign_beside_their_color():
    svg = page_tree(TREE)
    shapes = {}
    for kind in ("yes", "at-risk", "no", "cannot-tell"):
        found = re.search(rf'<g class="verdict verdict-{kind}">(.*?)</g><text[^>]*>([^<]+)</text></g>', svg)
        assert found
        shapes[kind] = re.sub(r"translate\([^)]*\)", "", found[1])
        assert found[2] == kind.replace("-", " ")
    assert len(set(shapes.values())) == 4
    assert 'class="change welcome"><path' in svg
    assert 'class="change unwelcome"><path' in svg
    assert 'class="change"><text' in svg


def test_a_shared_child_is_drawn_once_with_an_edge_from_each_parent():
    root = ElementTree.fromstring(page_tree(TREE))
    edges = [element for element in root.iter(f"{SVG}path") if element.attrib.get("data-edge") == "items"]
    assert {edge.attrib["data-from"] for edge in edges} == {"aov", "cust"}
    assert sum("shared" in edge.attrib["class"] for edge in edges) == 1


def test_influences_are_dashed_have_an_arrow_and_say_lag_and_evidence():
    root = ElementTree.fromstring(page_tree(TREE))
    influences = [each for each in root.iter(f"{SVG}path") if each.attrib.get("class") == "edge influence"]
    arrows = [each for each in root.iter(f"{SVG}path") if each.attrib.get("class") == "arrow"]
    assert len(influences) == len(arrows) == 2
    said = {element.text for element in root.iter(f"{SVG}text") if element.attrib.get("class") == "lag"}
    assert said == {"2 months later", "experiment", "correlation"}
    assert re.search(r"\.edge\.influence \{[^}]*stroke-dasharray", page_rules())


def test_operators_stand_once_where_a_parent_s_edges_part_and_at_the_child_where_they_differ():
    root = ElementTree.fromstring(page_tree(TREE))
    signs = [
        "".join(each.itertext()) for each in root.iter(f"{SVG}g") if each.attrib.get("class") == "operator"
    ]
    assert sorted(signs) == sorted(["×", "+", "÷", "×"])


def test_long_names_are_wrapped_and_cut_by_their_width_and_whole_in_the_title():
    root = ElementTree.fromstring(page_tree(TREE))
    node = next(each for each in root.iter() if each.attrib.get("data-node") == "items")
    lines = [each.text or "" for each in node.iter(f"{SVG}text") if each.attrib.get("class") == "name"]
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert "every single cancellation" in "".join(each.text or "" for each in node.iter(f"{SVG}title"))


def test_toggles_are_buttons_and_only_where_something_stands_under():
    root = ElementTree.fromstring(page_tree(TREE))
    toggles = [each for each in root.iter() if "data-toggle" in each.attrib]
    assert {each.attrib["data-toggle"] for each in toggles} == {"rev", "cust", "aov", "new"}
    assert all(each.attrib["role"] == "button" and each.attrib["aria-expanded"] == "true" for each in toggles)
    assert "data-toggle" not in page_tree(TREE, foldable=False)


def test_what_is_folded_away_is_counted_and_can_be_shown():
    svg = page_tree(TREE, collapsed={"cust"}, unfold_url="/tree?show={id}")
    root = ElementTree.fromstring(svg)
    fold = next(each for each in root.iter() if each.attrib.get("class") == "fold")
    assert fold.attrib["href"] == "/tree?show=cust"
    assert fold.attrib["aria-label"] == "Show 2 more under Active customers"
    assert {each.attrib["data-node"] for each in root.iter() if "data-node" in each.attrib} == {
        "rev",
        "cust",
        "aov",
        "items",
    }


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_brings_its_rules_and_its_paper_and_leaves_no_variable_open(theme: Any, direction: Any):
    svg = file_tree(TREE, theme=theme, direction=direction)
    root = ElementTree.fromstring(svg)
    assert root[0].tag == f"{SVG}style"
    assert "var(" not in svg
    paper = {"light": LIGHT, "dark": DARK}[theme].paper
    assert f".paper {{ fill: {paper}; }}" in svg
    assert "What net revenue is made of" in "".join(root.itertext())
    assert svg_to_png(svg, 0.5).startswith(b"\x89PNG")


def test_a_file_may_follow_what_the_reader_prefers():
    svg = file_tree(TREE, theme="auto")
    assert LIGHT.paper in svg
    assert "@media (prefers-color-scheme: dark)" in svg


def test_everything_drawn_is_inside_the_picture():
    root = ElementTree.fromstring(file_tree(TREE))
    left, top, width, height = (float(number) for number in root.attrib["viewBox"].split())
    for element in root.iter(f"{SVG}text"):
        if element.attrib.get("class") in {"lag", "head"}:
            assert left <= float(element.attrib["x"]) <= left + width
            assert top <= float(element.attrib["y"]) <= top + height


def test_the_page_s_rules_use_the_page_s_properties_and_balance():
    rules = page_rules()
    assert rules.count("{") == rules.count("}")
    for name in re.findall(r"var\(--([a-z-]+)\)", rules):
        assert name in {"sans", "serif", "ground", "card"} or LIGHT.token(name)


def test_siblings_stand_nearer_than_cousins():
    nodes = tuple(TreeNode(name, name) for name in "rabcdef")
    edges = tuple(TreeEdge(*pair) for pair in ("ra", "rb", "ac", "ad", "be", "bf"))
    boxes = lay_out(TreePicture(nodes, edges), card=CARD).boxes
    gaps = [below.y - above.bottom for above, below in pairwise(boxes[name] for name in "cdef")]
    assert gaps[0] == gaps[2] < gaps[1]
