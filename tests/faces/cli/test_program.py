"""The program, run as people run it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from potager.faces.api.operations import operations
from tests.faces.cli.conftest import ORDERS
from tests.journeys.house import House

AMOUNT = sum(int(line.split(",")[2]) for line in ORDERS[1:])
QUESTION = "Why did amount change in 2026-03?"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("empty") / "data")


def test_help_comes_at_once_and_lists_every_context(empty: House) -> None:
    took = []
    for _ in range(3):
        started = time.perf_counter()
        said = empty.run("--help").stdout
        took.append(time.perf_counter() - started)
    assert min(took) < 1.0, took
    for context in {operation.words[0] for operation in operations().values()}:
        assert f"  {context} " in said
    assert not empty.folder.exists()


def test_every_operation_is_a_command_with_its_summary(empty: House) -> None:
    said = empty.run("questions", "answer", "--help").stdout
    for operation in operations().values():
        if operation.words[:2] == ("questions", "answer"):
            assert operation.words[2] in said


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "why?"),
        ("doctor",),
        ("serve",),
        ("metrics", "metric", "list"),
        ("backup", "x.zip"),
        ("mcp",),
    ],
    ids=str,
)
def test_without_an_installation_a_sentence_says_what_to_do(empty: House, words: tuple[str, ...]) -> None:
    done = empty.run(*words, code=1)
    assert "There is no installation" in done.stderr and "Traceback" not in done.stderr
    assert not (empty.folder / "potager.sqlite3").exists()


@pytest.mark.parametrize("words", [("weed",), ("metrics", "weed"), ("metrics", "metric", "weed")], ids=str)
def test_an_unknown_command_is_wrong_usage(empty: House, words: tuple[str, ...]) -> None:
    done = empty.run(*words, code=2)
    assert "No such command 'weed'" in done.stderr


def test_an_import_says_what_came_in_and_the_same_file_adds_nothing(shop: House, tmp_path: Path) -> None:
    assert "84 rows in shop.orders, 0 set aside." in shop.said
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(ORDERS) + "\n")
    said = shop.run("import", str(file), "--table", "shop.orders", "--yes").stdout
    assert "nothing was added" in said
    tables = json.loads(shop.run("--json", "data", "table", "list").stdout)
    found = tables["items"] if isinstance(tables, dict) else tables
    assert [table["rows"] for table in found if table["name"] == "shop.orders"] == [84]


def test_a_dry_run_imports_nothing(shop: House, tmp_path: Path) -> None:
    file = tmp_path / "tried.csv"
    file.write_text("day,amount\n2026-01-01,1\n")
    said = shop.run("import", str(file), "--table", "shop.tried", "--dry-run").stdout
    assert "1 rows read" in said
    tables = shop.run("--json", "data", "table", "list").stdout
    assert "shop.tried" not in tables


def test_a_folder_of_definitions_is_published_as_one(shop: House, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "metrics: [{name: double, label: Double, type: derived, "
        "type_params: {expr: 2 * once, metrics: [{name: once}]}}]\n"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b.yml").write_text(
        "metrics: [{name: once, label: Once, type: simple, type_params: {measure: amount}}]\n"
    )
    said = shop.run("metrics", "import", str(tmp_path), "--namespace", "shop").stdout
    assert said.splitlines() == ["a.yml is at version 1.", "models/b.yml is at version 1."]
    value = shop.run("--json", "metrics", "value", "get", "double", "--period", "2026-03").stdout
    once = shop.run("--json", "metrics", "value", "get", "once", "--period", "2026-03").stdout
    assert json.loads(value)["value"] == 2 * json.loads(once)["value"]


def test_a_file_that_is_not_there_is_wrong_usage(shop: House) -> None:
    assert "does not exist" in shop.run("import", "nowhere.csv", code=2).stderr


def test_a_list_is_a_table_for_people_and_json_for_programs(shop: House) -> None:
    people = shop.run("metrics", "metric", "list").stdout
    programs = json.loads(shop.run("--json", "metrics", "metric", "list").stdout)
    names = {metric["name"] for metric in programs["items"]}
    assert "amount" in names and programs["total"] == len(names)
    assert all(name in people for name in names)


def test_the_answer_is_the_same_on_the_command_line_and_over_the_network(shop_served: House) -> None:
    here = json.loads(shop_served.run("--json", "ask", QUESTION).stdout)
    token = shop_served.token()
    remote = ("--server", shop_served.address, "--token", token)
    far = json.loads(shop_served.run(*remote, "--json", "ask", QUESTION).stdout)
    response = httpx.post(
        f"{shop_served.address}/api/ask",
        json={"text": QUESTION},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    there = response.json()
    assert response.status_code < 300, there
    by_month = [
        sum(int(line.split(",")[2]) for line in ORDERS[1:] if line.startswith(f"2026-{month:02}"))
        for month in (2, 3)
    ]
    for answer in (here, far, there):
        assert answer["estimate"] == pytest.approx(by_month[1] - by_month[0])
        assert answer["receipt"]["digest"] == here["receipt"]["digest"]
        assert sum(driver["amount"] for driver in answer["drivers"]) == pytest.approx(answer["estimate"])


def test_an_answer_for_people_says_verdict_sureness_and_receipt(shop: House) -> None:
    said = shop.run("ask", QUESTION)
    assert "● Yes  Amount rose" in said.stdout and "How sure: " in said.stdout and "Receipt " in said.stdout
    assert "metric: Amount" in said.stderr


def test_a_question_about_no_metric_is_refused_with_a_sentence(shop: House) -> None:
    done = shop.run("ask", "how is the weather?", code=1)
    assert "No governed metric" in done.stderr and "Traceback" not in done.stderr


def test_a_record_that_is_not_there_is_refused_with_a_sentence(shop: House) -> None:
    done = shop.run("metrics", "metric", "get", "amuont", code=1)
    assert "There is no metric amuont" in done.stderr and "amount" in done.stderr


def test_a_wrong_token_is_refused_with_a_sentence(shop_served: House) -> None:
    words = ("--server", shop_served.address, "--token", "pot_guess", "metrics", "metric", "list")
    done = shop_served.run(*words, code=1)
    assert "token is not valid" in done.stderr
    done = shop_served.run("--server", shop_served.address, "metrics", "metric", "list", code=2)
    assert "A server needs a token" in done.stderr


def test_a_server_that_does_not_answer_is_said(shop: House) -> None:
    words = ("--server", "http://127.0.0.1:9", "--token", "pot_x", "metrics", "metric", "list")
    done = shop.run(*words, code=1)
    assert "does not answer" in done.stderr and "potager serve" in done.stderr


def test_the_doctor_names_each_check(shop: House) -> None:
    shop.run("worker", "--once")
    found = json.loads(shop.run("--json", "doctor").stdout)
    assert {"check", "well", "says", "mend"} == set(found[0])
    assert all(finding["well"] for finding in found), found
    assert all(finding["mend"] or finding["well"] for finding in found)


def test_a_backup_brings_everything_back_elsewhere(shop: House, tmp_path: Path) -> None:
    archive = tmp_path / "shop.potager"
    shop.run("backup", str(archive))
    assert "exists already" in shop.run("backup", str(archive), code=1).stderr
    other = House(tmp_path / "restored")
    assert "every checksum equal" in other.run("restore", str(archive)).stdout
    assert "is not empty" in other.run("restore", str(archive), code=1).stderr
    again = json.loads(other.run("--json", "ask", QUESTION).stdout)
    here = json.loads(shop.run("--json", "ask", QUESTION).stdout)
    assert again["estimate"] == here["estimate"]
    assert again["receipt"]["digest"] == here["receipt"]["digest"]


def test_setting_up_twice_is_refused(shop: House) -> None:
    words = ("setup", "--email", "eve@example.org", "--name", "Eve", "--password", "another garden again")
    done = shop.run(*words, code=1)
    assert "Traceback" not in done.stderr and done.stderr.strip()


def test_the_openapi_document_is_printed(shop: House) -> None:
    document = json.loads(shop.run("openapi").stdout)
    assert document["info"]["title"] == "Potager"
