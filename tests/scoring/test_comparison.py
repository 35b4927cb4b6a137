"""Comparing runs: folders written by hand, numbers taken again with pandas."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgbench.benchmark import load_benchmark
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import SelfMatch
from fgbench.record import Record
from fgbench.scoring.comparison import compare
from fgbench.scoring.run import MAX_PER_QUERY
from fgbench.scoring.score import Result
from fgbench.scoring.significance import Verdict, holm

SPECIES = 12


@dataclass(frozen=True)
class World:
    """A benchmark of two media and the folder that it and its runs lie in."""

    root: object
    queries: pd.DataFrame  # item_id, label, task

    @property
    def benchmark(self):
        return self.root / "bench"

    def spec(self, **changes):
        """The benchmark as a record names it."""
        files = dict(load_benchmark(self.benchmark).files)
        return {"id": "bench", "split_column": "split", "files": files, **changes}

    def values(self, level, seed, noise=0.1):
        """A run's table: APs around ``level``, with self included .1 higher for X→All."""
        frame = self.queries.drop(columns="label").copy()
        rng = np.random.default_rng(seed)
        frame["ap_excluded"] = np.clip(rng.normal(level, noise, len(frame)), 0, 0.9)
        multimodal = frame["task"].str.endswith("all")
        frame["ap_included"] = (frame["ap_excluded"] + 0.1).where(multimodal)
        return frame

    def write(self, name, frame, **changes):
        """Writes a run as ``fgbench score`` would; ``changes`` overwrite keys of the record."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for column in ("ap_excluded", "ap_included"):
            at = table.schema.get_field_index(column)
            table = table.set_column(at, column, table[column].cast(pa.float32()))
        pq.write_table(table, folder / "per_query.parquet")
        digest = hashlib.sha256((folder / "per_query.parquet").read_bytes()).hexdigest()
        record = {
            "record_version": 1,
            "protocol": "fgx-1",
            "package_version": "0.1.0",
            "status": "self-reported",
            "complete": True,
            "benchmark": self.spec(),
            "submission": {"sha256": name * 4, "meta": {"method": f"method {name}"}},
            "scores": {},
            "means": {},
            "missing": {},
            "merge": None,
            "bootstrap": {},
            "per_query": {"sha256": digest, "file": "per_query.parquet"},
        }
        (folder / "record.json").write_text(json.dumps({**record, **changes}))
        return folder

    def compare(self, a, b, **options):
        return compare(a, b, benchmark=self.benchmark, **options)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def make_world(root):
    (root / "bench").mkdir()
    rows = []
    for medium, each in (("image", 5), ("text", 3)):
        labels = np.repeat(np.arange(SPECIES) * 7, each)
        ids = [f"{medium}/{i:03d}" for i in range(len(labels))]
        table = {"item_id": ids, "medium": medium, "label": labels, "split": "test"}
        frame = pd.DataFrame(table)
        frame.to_parquet(root / "bench" / f"{medium}.parquet", index=False)
        for gallery in ("t" if medium == "image" else "i", "all"):
            rows.append(frame[["item_id", "label"]].assign(task=f"{medium[0]}2{gallery}"))
    return World(root, pd.concat(rows, ignore_index=True))


def stored(frame, column="ap_excluded"):
    """Mean by task of the values as stored: float32."""
    values = frame[column].astype(np.float32).astype(float)
    return values.groupby(frame["task"]).mean()


def test_numbers_are_means_of_the_stored_values(world):
    one, two = world.values(0.5, seed=1), world.values(0.4, seed=2)
    found = world.compare(world.write("one", one), world.write("two", two))
    assert [row.key for row in found.tasks] == ["i2t", "t2i", "i2all", "t2all"]
    a, b = stored(one), stored(two)
    for row in found.tasks:
        assert row.a == pytest.approx(a[row.key])
        assert row.b == pytest.approx(b[row.key])
        assert row.test.difference == pytest.approx(a[row.key] - b[row.key])
        assert row.test.interval.low < row.test.difference < row.test.interval.high
    means = {row.key: row for row in found.means}
    assert means["bimodal"].a == pytest.approx((a["i2t"] + a["t2i"]) / 2)
    assert means["multimodal"].b == pytest.approx((b["i2all"] + b["t2all"]) / 2)
    assert (found.species, found.exact) == (SPECIES, True)
    assert (found.a.name, found.b.name) == ("method one", "method two")


def test_p_flips_whole_species(world):
    one, two = world.values(0.5, seed=1), world.values(0.49, seed=2)
    gaps = two.index[::7]
    found = world.compare(world.write("one", one), world.write("two", two.drop(gaps)))
    one, two = one.drop(gaps), two.drop(gaps)
    apart = one["ap_excluded"].astype(np.float32) - two["ap_excluded"].astype(np.float32)
    sums = apart.astype(float).groupby([world.queries["task"], world.queries["label"]]).sum()
    for row in found.tasks:
        totals = sums[row.key].to_numpy()
        signs = 1 - 2 * (np.arange(2**SPECIES)[:, None] >> np.arange(SPECIES) & 1)
        reached = np.abs((signs * totals).sum(axis=1)) >= abs(totals.sum()) - 1e-9
        assert row.test.p == pytest.approx(reached.mean())


def test_tasks_and_means_are_two_families(world):
    one, two = world.values(0.5, seed=1), world.values(0.48, seed=2)
    found = world.compare(world.write("one", one), world.write("two", two))
    for rows in (found.tasks, found.means):
        assert [r.p_holm for r in rows] == holm([r.test.p for r in rows]).tolist()
    assert len(found.tasks) == 4
    assert len(found.means) == 2


def test_verdicts_name_the_better_run_or_none(world):
    good, bad = world.write("good", world.values(0.6, 1)), world.write("bad", world.values(0.3, 2))
    near = world.write("near", world.values(0.6, 3))
    for pair, verdict in (
        ((good, bad), Verdict.A),
        ((bad, good), Verdict.B),
        ((good, near), Verdict.NEITHER),
    ):
        found = world.compare(*pair)
        assert {row.verdict for row in found.tasks + found.means} == {verdict}


def test_a_run_against_itself(world):
    folder = world.write("one", world.values(0.5, 1))
    for row in world.compare(folder, folder).tasks:
        assert (row.test.difference, row.p_holm, row.verdict) == (0, 1, Verdict.NEITHER)


def test_pairs_by_id_whatever_the_order_of_rows(world):
    one, two = world.values(0.5, 1), world.values(0.45, 2)
    straight = world.compare(world.write("a", one), world.write("b", two))
    mixed = world.write("b", two.sample(frac=1, random_state=0))
    assert world.compare(world.root / "a", mixed).to_json() == straight.to_json()


def test_self_included_takes_its_own_values_in_x_to_all_alone(world):
    one, two = world.values(0.5, 1), world.values(0.4, 2)
    one["ap_included"] = one["ap_included"] * 0.5
    folders = world.write("one", one), world.write("two", two)
    excluded = world.compare(*folders)
    included = world.compare(*folders, self_match=SelfMatch.INCLUDED)
    assert included.to_json()["self"] == "included"
    assert [row.test for row in included.tasks[:2]] == [row.test for row in excluded.tasks[:2]]
    for row in included.tasks[2:]:
        assert row.a == pytest.approx(stored(one, "ap_included")[row.key])
        assert row.b == pytest.approx(stored(two, "ap_included")[row.key])
    assert included.tasks[2].verdict is Verdict.B
    assert excluded.tasks[2].verdict is Verdict.A


def test_takes_results_of_scoring_as_well_as_folders(world):
    one, two = world.write("one", world.values(0.5, 1)), world.write("two", world.values(0.4, 2))

    def result(folder):
        record = Record.from_json((folder / "record.json").read_text())
        return Result(record, pq.read_table(folder / "per_query.parquet"), {})

    ground = load_benchmark(world.benchmark)
    found = compare(result(one), result(two), benchmark=ground)
    assert found.to_json() == world.compare(one, two).to_json()


def test_tasks_of_one_run_alone_are_left_out_and_their_mean_too(world):
    one, two = world.values(0.5, 1), world.values(0.4, 2)
    two = two[two["task"] != "t2i"]
    found = world.compare(world.write("one", one), world.write("two", two))
    assert [row.key for row in found.tasks] == ["i2t", "i2all", "t2all"]
    assert [row.key for row in found.means] == ["multimodal"]
    assert found.notes == ("T→I: only A has it; left out",)


def test_queries_of_one_run_alone_are_left_out(world):
    one, two = world.values(0.5, 1), world.values(0.4, 2)
    lost = one.index[one["task"] == "i2t"][:4]
    found = world.compare(world.write("one", one.drop(lost)), world.write("two", two))
    row = found.tasks[0]
    assert row.test.queries == 5 * SPECIES - 4
    assert row.b == pytest.approx(stored(two.drop(lost))["i2t"])
    assert found.notes == ("I→T: 56 shared queries; 4 others left out",)


def test_a_species_may_be_absent_from_a_task(world):
    asked = (world.queries["task"] != "i2t") | (world.queries["label"] > 7)
    one, two = world.values(0.5, 1)[asked], world.values(0.4, 2)[asked]
    found = world.compare(world.write("one", one), world.write("two", two))
    assert found.tasks[0].test.queries == 5 * (SPECIES - 2)
    assert found.species == SPECIES
    assert found.notes == ()


def test_one_species_has_no_interval_and_no_verdict(world):
    only = world.queries["label"] == 0
    one, two = world.values(0.9, 1)[only], world.values(0.1, 2)[only]
    found = world.compare(world.write("one", one), world.write("two", two))
    assert {row.verdict for row in found.tasks} == {Verdict.NEITHER}
    assert found.notes == ("1 species are too few for 4 tasks: no difference could be separable",)
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["tasks"]["i2t"]["ci95"] is None
    assert document["means"]["bimodal"]["ci95"] is None


def test_seed_and_flips_are_stated_and_repeat_the_numbers(world):
    one, two = world.write("one", world.values(0.5, 1)), world.write("two", world.values(0.48, 2))
    options = {"flips": 500, "draws": 50, "seed": 3}
    found = world.compare(one, two, **options).to_json()
    assert found == world.compare(one, two, **options).to_json()
    assert found.items() >= {**options, "exact": False}.items()
    assert found != {**world.compare(one, two, **{**options, "seed": 4}).to_json(), "seed": 3}


def codes(error):
    faults = getattr(error.value, "faults", None)
    return [fault.code for fault in faults] if faults else [error.value.code]


def test_without_a_method_the_folder_is_the_name(world):
    frame = world.values(0.5, 1)
    one = world.write("one", frame, submission={"sha256": "f"})
    two = world.write("two", frame, submission={"sha256": "f", "meta": {"method": "\x1b[2J\nx"}})
    found = world.compare(one, two)
    assert (found.a.name, found.b.name) == ("one", "�[2J�x")


def test_refuses_an_edited_table(world):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    world.write("other", world.values(0.9, 1))
    (two / "per_query.parquet").write_bytes((world.root / "other/per_query.parquet").read_bytes())
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C004"]


def test_says_all_faults_of_both_runs_at_once(world):
    one = world.write("one", world.values(0.5, 1), protocol="fgx-0")
    two = world.write("two", world.values(0.5, 1), benchmark=world.spec(files={"x": "0"}))
    with (one / "per_query.parquet").open("ab") as file:
        file.write(b"!")
    (two / "per_query.parquet").unlink()
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C004", "FG-C003", "FG-C008", "FG-C009"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "9" * 10_000, "[" * 100_000, '{"protocol": NaN}', '{"protocol": "fgx-1"}'],
)
def test_refuses_a_damaged_record(world, text):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    (two / "record.json").write_text(text)
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert set(codes(error)) == {"FG-K001"}
    assert all(fault.where.startswith(f"B, {two}, record.json") for fault in error.value.faults)


def test_refuses_a_record_that_is_no_text(world):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    (two / "record.json").write_bytes(b"\xff\xfe")
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C002"]


def test_names_what_is_no_run_and_what_to_give(world):
    one = world.write("one", world.values(0.5, 1))
    with pytest.raises(FaultyInput, match=r"(?s)no such folder.*no record\.json in it") as error:
        world.compare(world.root / "nowhere", world.benchmark)
    assert codes(error) == ["FG-C001", "FG-C001"]
    with pytest.raises(FaultyInput, match="no such folder"):
        world.compare(one, one / "record.json")


def test_names_both_addresses_that_lead_nowhere(world):
    base = f"memory://{world.root.name}"
    with pytest.raises(FaultyInput, match=f"(?s)A, {base}/one.*B, {base}/two") as error:
        world.compare(f"{base}/one", f"{base}/two")
    assert codes(error) == ["FG-D011", "FG-D011"]


@pytest.mark.parametrize(
    "changes",
    [
        {"benchmark": {}},
        {"submission": [], "per_query": None, "protocol": 1},
        {"benchmark": {"id": None, "split_column": 1, "files": {"image.parquet": []}}},
    ],
)
def test_refuses_a_record_without_what_a_comparison_needs(world, changes):
    one, two = (world.write(n, world.values(0.5, 1), **changes) for n in ("one", "two"))
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C002"] * 6


@pytest.mark.parametrize(
    "files", [{}, [], {"image.parquet": 1}, {"image.parquet": []}, "image.parquet"]
)
def test_refuses_manifest_hashes_that_are_none(world, files):
    folder = world.write("one", world.values(0.5, 1), benchmark=world.spec(files=files))
    with pytest.raises(FaultyInput) as error:
        world.compare(folder, folder)
    assert codes(error) == ["FG-C002", "FG-C002"]


def spoil_item(frame):
    frame.loc[0, "item_id"] = "image/of another benchmark"


def spoil_task(frame):
    frame.loc[0, "task"] = "v2a"


def repeat_row(frame):
    frame.loc[1, "item_id"] = frame.loc[0, "item_id"]


def put_nan(frame):
    frame.loc[0, "ap_excluded"] = np.nan


def put_excess(frame):
    frame.loc[0, "ap_excluded"] = 1.5


def put_null_id(frame):
    frame.loc[0, "item_id"] = None


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (spoil_item, "FG-C006"),
        (spoil_task, "FG-C006"),
        (repeat_row, "FG-C006"),
        (put_null_id, "FG-C006"),
        (put_nan, "FG-C007"),
        (put_excess, "FG-C007"),
    ],
)
def test_refuses_values_that_are_not_of_the_benchmark(world, spoil, code):
    frame = world.values(0.5, 1)
    one = world.write("one", frame)
    spoil(frame)
    with pytest.raises(FaultyInput) as error:
        world.compare(one, world.write("two", frame))
    assert codes(error) == [code]


def test_refuses_a_run_without_self_included_values_where_they_are_asked_for(world):
    folder = world.write("one", world.values(0.5, 1).assign(ap_included=np.nan))
    with pytest.raises(FaultyInput) as error:
        world.compare(folder, folder, self_match=SelfMatch.INCLUDED)
    assert codes(error) == ["FG-C007"] * 4


def seal(folder):
    """Makes the record agree with the table, whatever is in it."""
    record = json.loads((folder / "record.json").read_text())
    content = (folder / "per_query.parquet").read_bytes()
    record["per_query"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "record.json").write_text(json.dumps(record))


def test_refuses_tables_of_another_shape(world):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    table = pa.table({"item_id": [1], "ap_included": ["all"], "ap_excluded": pa.array([0.5])})
    pq.write_table(table, two / "per_query.parquet")
    seal(two)
    with pytest.raises(FaultyInput) as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C005"] * 4


def test_refuses_a_small_file_that_unpacks_to_much(world):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    rows = MAX_PER_QUERY // 16 + 1
    same = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["i2t"])
    table = pa.table({"item_id": same, "task": same}).append_column(
        "ap_excluded", pa.array(np.zeros(rows, np.float32))
    )
    table = table.append_column("ap_included", table["ap_excluded"])
    pq.write_table(table, two / "per_query.parquet")
    assert (two / "per_query.parquet").stat().st_size < 1e6
    seal(two)
    with pytest.raises(FaultyInput, match="unpacked") as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C003"]


def test_refuses_runs_that_share_nothing(world):
    frame = world.values(0.5, 1)
    one = world.write("one", frame[frame["task"] == "i2t"])
    with pytest.raises(InputError) as error:
        world.compare(one, world.write("two", frame[frame["task"] == "t2i"]))
    assert codes(error) == ["FG-C012"]
    with pytest.raises(InputError) as error:
        world.compare(one, world.write("none", frame[:0]))
    assert codes(error) == ["FG-C012"]


def test_refuses_another_benchmark_than_the_one_scored_against(world):
    folder = world.write("one", world.values(0.5, 1))
    manifest = world.benchmark / "text.parquet"
    frame = pd.read_parquet(manifest)
    frame["label"] = frame["label"].to_numpy()[::-1]
    frame.to_parquet(manifest, index=False)
    with pytest.raises(InputError, match=r"text\.parquet") as error:
        world.compare(folder, folder)
    assert codes(error) == ["FG-C011"]


def test_refuses_another_split_column(world):
    one = world.write("one", world.values(0.5, 1))
    two = world.write("two", world.values(0.5, 1), benchmark=world.spec(split_column="fold"))
    with pytest.raises(FaultyInput, match="split column") as error:
        world.compare(one, two)
    assert codes(error) == ["FG-C009"]


def test_a_record_cannot_say_which_folder_to_open(world):
    spec = world.spec(id=str(world.benchmark))
    folder = world.write("one", world.values(0.5, 1), benchmark=spec)
    with pytest.raises(InputError) as error:
        compare(folder, folder)
    assert codes(error) == ["FG-C010"]
    assert world.compare(folder, folder).benchmark == "bench"


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.dictionary("int32", "string")])
def test_takes_text_as_other_tools_write_it(world, text):
    one, two = (world.write(name, world.values(0.5, 1)) for name in ("one", "two"))
    table = pq.read_table(two / "per_query.parquet")
    for at, name in enumerate(("item_id", "task")):
        column = table[name].cast(pa.string())
        coded = column.dictionary_encode() if pa.types.is_dictionary(text) else column.cast(text)
        table = table.set_column(table.schema.get_field_index(name), name, coded)
        assert table.schema.field(at).name == name
    pq.write_table(table, two / "per_query.parquet")
    seal(two)
    assert {row.test.difference for row in world.compare(one, two).tasks} == {0}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("fuzz"))
    return world, [world.write(name, world.values(0.5, 1)) for name in ("one", "two")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_spoilt_table_ends_in_a_traceback(fuzzed, data):
    world, (one, two) = fuzzed
    content = bytearray((one / "per_query.parquet").read_bytes())
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), places))
    (two / "per_query.parquet").write_bytes(content[:cut])
    seal(two)
    try:
        found = world.compare(one, two, flips=50, draws=10)
    except InputError:
        return
    json.dumps(found.to_json(), allow_nan=False)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_spoilt_record_ends_in_a_traceback(fuzzed, data):
    world, (one, two) = fuzzed
    record = json.loads((one / "record.json").read_text())
    key = data.draw(st.sampled_from(["protocol", "benchmark", "submission", "per_query"]))
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text()
                | st.sampled_from(["id", "files", "sha256", "meta", "method", "split_column"]),
                inner,
            )
        ),
        max_leaves=6,
    )
    value = data.draw(anything)
    if isinstance(value, dict) and isinstance(record[key], dict):
        value = {**record[key], **value}
    record[key] = value
    (two / "record.json").write_text(json.dumps(record))
    (two / "per_query.parquet").write_bytes((one / "per_query.parquet").read_bytes())
    try:
        found = world.compare(one, two, flips=50, draws=10)
    except InputError as error:
        str(error)
        return
    json.dumps(found.to_json(), allow_nan=False)
