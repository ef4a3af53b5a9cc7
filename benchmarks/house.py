"""The house: metric queries, attribution, imports, readers, pages, starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.measure import Row, in_a_process, paired, seconds

EVENTS_YAML = """
semantic_models:
  - name: events
    model: ref('events')
    defaults: {agg_time_dimension: seen_at}
    primary_entity: event_line
    entities: [{name: person, type: foreign, expr: person_id}]
    dimensions:
      - {name: seen_at, type: time, type_params: {time_granularity: day}}
      - {name: country, type: categorical}
      - {name: plan, type: categorical}
      - {name: device, type: categorical}
      - {name: source, type: categorical}
      - {name: team, type: categorical}
      - {name: version, type: categorical}
    measures:
      - {name: amount, agg: sum, expr: amount}
      - {name: people, agg: count_distinct, expr: person_id}
metrics:
  - {name: amount, label: Amount, type: simple, type_params: {measure: amount}}
  - name: active_28d
    label: Active
    type: cumulative
    type_params: {measure: people, cumulative_type_params: {window: 28 days, period_agg: last}}
"""


def events(rows: int) -> str:
    """Return SQL that makes an event table of so many rows over two years."""
    return f"""SELECT (hash(i) % 40000)::BIGINT AS person_id,
        TIMESTAMP '2024-01-01' + INTERVAL (hash(i * 7) % 63158400) SECOND AS seen_at,
        (hash(i * 3) % 10000) / 100.0 AS amount,
        'c' || (hash(i * 5) % 12) AS country, 'p' || (hash(i * 11) % 4) AS plan, 'd' || (hash(i * 13) % 3) AS device,
        's' || (hash(i * 17) % 6) AS source, 't' || (hash(i * 19) % 8) AS team, 'v' || (hash(i * 23) % 5) AS version
        FROM range({rows}) AS r(i)"""


def fill(table: str, rows: int) -> None:
    """Load generated events into the lake."""
    from potager.ground.lake.service import lake

    with duckdb.connect() as connection:
        lake().append(table, connection.sql(events(rows)).to_arrow_reader(100_000), load_id=f"bench-{rows}")


def queries() -> list[Row]:
    """Measure a metric query against hand-written DuckDB, and the rolling count against MetricFlow's own SQL."""
    from datetime import date

    from potager.ground.lake.service import warehouse
    from potager.insight.metrics.semantics import MetricQuery, SemanticLayer, Window, parse

    layer = SemanticLayer([parse(EVENTS_YAML, "bench.yml")], warehouse(), namespace="bench")
    by_hand = "SELECT date_trunc('month', seen_at)::DATE AS m, country, sum(amount) AS a FROM bench.events GROUP BY ALL ORDER BY ALL"
    asked = MetricQuery(metrics=("amount",), group_by=("country",), grain="month")
    one, other, ratio = paired(lambda: layer.query(asked), lambda: warehouse().query(by_hand))
    found = [
        Row(
            "A metric query over 2 M rows, against hand-written SQL on the same files",
            f"{ratio:.2f} × ({one * 1e3:.0f} ms against {other * 1e3:.0f} ms)",
            "≤ 1.15 ×",
            ratio <= 1.15,
        )
    ]
    rolling = MetricQuery(
        metrics=("active_28d",), grain="day", start=date(2024, 1, 1), end=date(2025, 12, 31)
    )
    ours = seconds(lambda: layer.query(rolling), runs=3)
    theirs = metricflow_seconds(layer, rolling)
    found.append(
        Row(
            "28-day active people on 2 M events, against MetricFlow's own SQL",
            f"1/{theirs / ours:.0f} of its time ({ours:.2f} s against {theirs:.0f} s)",
            "≤ 1/20",
            theirs / ours >= 20,
        )
    )
    dims = ["country", "plan", "device", "source", "team", "version"]
    return [*found, attribution(dims, Window)]


def metricflow_seconds(layer: object, query: object) -> float:
    """Return how long MetricFlow's own SQL takes for a cumulative metric, once."""
    from potager.ground.lake.service import warehouse
    from potager.insight.metrics.semantics.statements import Asked, metricflow_query

    asked = Asked((query.metrics[0],), (), query.grain, query.start, query.end, ())  # type: ignore[attr-defined]
    sql = metricflow_query(layer._compiled, asked).sql("duckdb")  # type: ignore[attr-defined]
    started = time.perf_counter()
    warehouse().query(sql)
    return time.perf_counter() - started


def attribution(dims: list[str], window: type) -> Row:
    """Measure a whole explanation's sums over 10 M rows and a 40-node tree, in a process of its own."""
    code = f"""
import os, sys, time
import django; django.setup()
from datetime import date
import numpy as np
from potager.ground.lake.service import warehouse
from potager.insight.metrics.semantics import SemanticLayer, Window, parse
from potager.engines.attribution import Tree, analyze_contributions, attribute_tree, grouping_sets, parse_formula
from potager.insight.metrics.explaining import _grouped
layer = SemanticLayer([parse({EVENTS_YAML.replace("ref('events')", "ref('many')")!r}, "bench.yml")], warehouse(), namespace="bench")
formulas = {{"root": parse_formula(" + ".join(f"n{{i}}" for i in range(13)))}}
for i in range(13): formulas[f"n{{i}}"] = parse_formula(f"a{{i}} * b{{i}}")
tree = Tree("root", formulas)
def once():
    sums = layer.component_sums("amount", {dims!r}, Window(date(2024, 1, 1), date(2024, 12, 31)), Window(date(2025, 1, 1), date(2025, 12, 31)), sets=grouping_sets({dims!r}, 2))
    analyze_contributions(_grouped(sums), sums.dimensions, "sum")
    rng = np.random.default_rng(1)
    attribute_tree(tree, {{n: rng.random() for n in tree.leaves}}, {{n: rng.random() for n in tree.leaves}})
layer.metric("amount"); once()
started = time.perf_counter(); once(); print("TOOK", time.perf_counter() - started)
"""
    ran = in_a_process(code)
    took, peak = float(ran.said.split("TOOK")[1].split()[0]), ran.peak
    return Row(
        "Attribution: 10 M rows, 6 dimensions in pairs, a 40-node tree",
        f"{took:.1f} s, {peak / 1e9:.2f} GB",
        "< 3 s, < 1 GB",
        took < 3 and peak < 1e9,
    )


def imports() -> Row:
    """Measure an import of 10 M CSV rows into the lake against DuckDB's own CSV to Parquet."""
    folder = Path(os.environ["POTAGER_DATA"])
    csv = folder / "ten_million.csv"
    duckdb.sql(f"COPY ({events(10_000_000)}) TO '{csv}' (HEADER)")
    peer = f"import duckdb; duckdb.sql(\"COPY (FROM read_csv('{csv}')) TO '{folder}/peer.parquet'\")"
    ours = f"""
import django; django.setup()
from pathlib import Path
from potager.connectors import files
from potager.ground.lake.service import lake
path = Path({str(csv)!r})
plan = files.plan_from(files.inspect(path))
with files.read(path, plan) as reading:
    lake().append("bench.imported", reading.batches, load_id="csv")
"""
    theirs, mine = in_a_process(peer), in_a_process(ours)
    ratio = mine.seconds / theirs.seconds
    return Row(
        "An import of 10 M CSV rows, against DuckDB's own CSV to Parquet",
        f"{ratio:.1f} × ({mine.seconds:.0f} s against {theirs.seconds:.0f} s), {mine.peak / 1e6:.0f} MB",
        "≤ 2 ×",
        ratio <= 2,
    )


def readers() -> Row:
    """Let eight processes read while one appends; count errors and torn reads."""
    reading = """
import django, sys, time; django.setup()
from potager.ground.lake.service import warehouse
end = time.time() + 12; torn = errors = reads = 0
while time.time() < end:
    try:
        n = warehouse().query("SELECT count(*) AS n FROM bench.shared").table["n"][0].as_py(); reads += 1; torn += n % 10000 != 0
    except Exception: errors += 1
print("READS", reads, torn, errors)
"""
    writing = """
import django, time; django.setup()
import pyarrow as pa
from potager.ground.lake.service import lake
for i in range(20): lake().append("bench.shared", pa.table({"x": list(range(10000))}), load_id=f"w{i}")
"""
    subprocess.run(
        [sys.executable, "-c", writing.replace("range(20)", "range(1)").replace('f"w{i}"', '"first"')],
        check=True,
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", reading], stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    subprocess.run([sys.executable, "-c", writing], check=True)
    counts = [
        [int(word) for word in (process.communicate()[0].split("READS")[1]).split()] for process in processes
    ]
    reads, torn, errors = (sum(column) for column in zip(*counts, strict=True))
    return Row(
        "Eight processes read while one appends",
        f"{reads:,} reads, {torn} torn, {errors} errors",
        "0 torn, 0 errors",
        torn == errors == 0,
    )


def pages() -> Row:
    """Measure the 95th percentile of the questions page with 50 users who click once every two seconds."""
    import httpx

    port, data = "8397", tempfile.mkdtemp(prefix="potager-bench-demo-")
    environment = {**os.environ, "POTAGER_DATA": data}
    program = [sys.executable, "-m", "potager.faces.cli.main", "--data", data]
    subprocess.run([*program, "demo", "--build-only"], env=environment, check=True, capture_output=True)
    door = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\nfrom potager.ground.access.models import User\nfrom potager.ground.accounts.pages import door_of\nprint(door_of(User.objects.first()))",
        ],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    server = subprocess.Popen([*program, "serve", "--port", port, "--no-worker"], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        client = httpx.Client(base_url=address, timeout=30)
        for _ in range(60):
            try:
                client.get("/account/login/")
                break
            except httpx.HTTPError:
                time.sleep(0.5)
        client.get(door)
        cookies = dict(client.cookies)

        def user(number: int) -> list[float]:
            times = []
            with httpx.Client(base_url=address, cookies=cookies, timeout=30) as own:
                time.sleep(number / 25)
                for _ in range(6):
                    started = time.perf_counter()
                    own.get("/questions/").raise_for_status()
                    times.append(time.perf_counter() - started)
                    time.sleep(2)
            return times

        for _ in range(4):
            client.get("/questions/")
        with ThreadPoolExecutor(50) as pool:
            times = np.array([one for several in pool.map(user, range(50)) for one in several])
    finally:
        server.terminate()
        server.wait()
    p95 = float(np.percentile(times, 95))
    return Row(
        "The questions page with 50 users who click every two seconds",
        f"p95 {p95 * 1e3:.0f} ms, median {np.median(times) * 1e3:.0f} ms",
        "p95 < 100 ms",
        p95 < 0.1,
    )


def start() -> list[Row]:
    """Measure the command line's help and a fresh demonstration."""
    helped = seconds(
        lambda: subprocess.run(
            [sys.executable, "-m", "potager.faces.cli.main", "--help"], check=True, capture_output=True
        )
    )
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "potager.faces.cli.main", "--data", data, "demo", "--build-only"]
        environment = {**os.environ, "POTAGER_DATA": data}
        built = seconds(
            lambda: subprocess.run(command, env=environment, check=True, capture_output=True), runs=1, warm=0
        )
    return [
        Row("`potager --help`", f"{helped:.2f} s", "< 0.3 s", helped < 0.3),
        Row(
            "A fresh demonstration (Harbor: 20.7 M rows, 15 questions answered), network aside",
            f"{built:.0f} s",
            "< 60 s",
            built < 60,
        ),
    ]


def rows() -> list[Row]:
    """Measure all of it."""
    fill("bench.events", 2_000_000)
    fill("bench.many", 10_000_000)
    return [*queries(), imports(), readers(), pages(), *start()]
