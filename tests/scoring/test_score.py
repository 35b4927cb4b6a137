"""From a file to a result on disk: means, intervals, record, and what is refused."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

import fgbench
from fgbench import remote
from fgbench.errors import FaultyInput, FgbenchError, InputError
from fgbench.protocol import MEDIA, Convention
from fgbench.record import Record
from fgbench.scoring.score import score
from fgbench.submission import write_submission


@pytest.fixture
def submitted(tmp_path, small):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(7, 6))
    given = {
        m: centres[small.items[m].labels] + rng.normal(size=(len(small.items[m]), 6)) for m in MEDIA
    }
    path = tmp_path / "s.npz"
    ids = {m: small.items[m].ids for m in MEDIA}
    write_submission(path, ids=ids, embeddings=given, meta={"method": "centres"})
    return path


def test_means_can_be_recomputed_from_the_stored_values(submitted, small, tmp_path):
    result = score(submitted, small, convention=Convention.PAPER)
    result.write(tmp_path / "out")
    content = (tmp_path / "out" / "per_query.parquet").read_bytes()
    record = Record.from_json((tmp_path / "out" / "record.json").read_text())
    assert record.per_query["sha256"] == hashlib.sha256(content).hexdigest()
    table = pq.read_table(tmp_path / "out" / "per_query.parquet").to_pandas()
    assert set(table.columns) == {"item_id", "task", "ap_excluded", "ap_included"}
    assert len(record.scores) == 16
    for code, rows in table.groupby("task"):
        found = record.scores[code]
        assert found.map == pytest.approx(rows.ap_excluded.astype(float).mean(), abs=1e-15)
        assert found.ci95[0] < found.map < found.ci95[1]
        assert rows.ap_included.isna().all() == (not code.endswith("2all"))
        if code.endswith("2all"):
            assert found.map_self_included == pytest.approx(rows.ap_included.astype(float).mean())
            assert found.map_self_included > found.map
        labels = small.items[next(m for m in MEDIA if m.code == code[0])].labels
        for label in np.unique(labels):
            mine = rows.ap_excluded.to_numpy()[labels == label].astype(float).mean()
            assert found.classes[str(label)] == pytest.approx(mine, abs=6e-7)
    bimodal = [s.map for c, s in record.scores.items() if not c.endswith("all")]
    assert record.means["bimodal"].map == pytest.approx(np.mean(bimodal))
    assert record.complete
    assert record.means["multimodal"].map_paper is not None


def test_equal_inputs_give_equal_bytes(submitted, small, tmp_path):
    for name in ("a", "b"):
        score(submitted, small).write(tmp_path / name)
    for file in ("record.json", "per_query.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_record_survives_its_own_json(submitted, small):
    record = score(submitted, small).record
    assert Record.from_json(record.to_json()) == record


def test_first_places_add_up_and_know_the_taxonomy(submitted, small):
    for found in score(submitted, small).record.scores.values():
        assert sum(found.first.values()) == pytest.approx(1.0)
        assert list(found.first) == ["species", "genus", "family", "order", "other"]
        assert found.first["species"] == pytest.approx(found.secondary["hit@1"], abs=1e-9)
        assert all(a != b for a, b, _ in found.confused)


def test_another_submissions_record_is_not_lost(submitted, small, tmp_path):
    result = score(submitted, small)
    result.write(tmp_path / "out")
    result.write(tmp_path / "out")  # the same again is fine
    held = json.loads((tmp_path / "out" / "record.json").read_text())
    held["submission"]["sha256"] = "f" * 64
    (tmp_path / "out" / "record.json").write_text(json.dumps(held))
    with pytest.raises(InputError, match="FG-R002"):
        result.write(tmp_path / "out")
    result.write(tmp_path / "out", force=True)


def test_all_faults_of_a_file_come_at_once_and_nothing_is_scored(tmp_path, small):
    broken = {}
    for m in MEDIA:
        broken[m.value] = np.full((len(small.items[m]), 2), np.nan, np.float32)
        broken[f"{m.value}_ids"] = small.items[m].ids
    np.savez(tmp_path / "broken.npz", **broken)
    with pytest.raises(FaultyInput) as caught:
        fgbench.score(tmp_path / "broken.npz", small)
    assert len(caught.value.faults) >= 4


def test_matrices_within_media_alone_cover_no_task(tmp_path, small):
    some = MEDIA[:2]
    within = {(m, m): np.ones((len(small.items[m]),) * 2, np.float32) for m in some}
    ids = {m: small.items[m].ids for m in some}
    write_submission(tmp_path / "within.npz", ids=ids, scores=within)
    with pytest.raises(InputError, match="FG-R003"):
        fgbench.score(tmp_path / "within.npz", small)


def test_an_incomplete_submission_has_no_mean_of_what_is_missing(tmp_path, small):
    some = MEDIA[:2]
    rng = np.random.default_rng(0)
    ids = {m: small.items[m].ids for m in some}
    rows = {m: rng.normal(size=(len(ids[m]), 3)) for m in some}
    write_submission(tmp_path / "two.npz", ids=ids, embeddings=rows)
    record = fgbench.score(tmp_path / "two.npz", small).record
    assert not record.complete
    assert set(record.scores) == {"i2t", "t2i"}
    assert record.means == {}
    assert set(record.missing) | set(record.scores) == {t.code for t in small.tasks}


def test_a_class_that_the_benchmark_leaves_out_is_not_asked_for(tmp_path):
    """Label 2 has no audio: its queries into audio are dropped, those into all media stay."""
    import pyarrow as pa

    folder = tmp_path / "b"
    folder.mkdir()
    labels = {"image": [0, 0, 1, 1, 2, 2], "audio": [0, 1, 0, 1]}
    for medium, values in labels.items():
        n = len(values)
        rows = {
            "item_id": [f"{medium}/{i}" for i in range(n)],
            "medium": [medium] * n,
            "label": values,
            "split": ["test"] * n,
        }
        pq.write_table(pa.table(rows), folder / f"{medium}.parquet")
    spec = {
        "id": "gap",
        "title": "Gap",
        "files": {
            f"{m}.parquet": hashlib.sha256((folder / f"{m}.parquet").read_bytes()).hexdigest()
            for m in labels
        },
        "split_column": "split",
        "left_out": {"audio": [2]},
    }
    (folder / "benchmark.json").write_text(json.dumps(spec))
    benchmark = fgbench.load_benchmark(folder)
    rng = np.random.default_rng(0)
    write_submission(
        tmp_path / "s.npz",
        ids={m: benchmark.items[m].ids for m in benchmark.media},
        embeddings={m: rng.normal(size=(len(benchmark.items[m]), 4)) for m in benchmark.media},
    )
    record = fgbench.score(tmp_path / "s.npz", benchmark).record
    assert {code: s.queries for code, s in record.scores.items()} == {
        "i2a": 4,
        "a2i": 4,
        "i2all": 6,
        "a2all": 4,
    }
    for score_ in record.scores.values():  # who stood first is counted of those that are asked
        wrong = sum(queries for _, _, queries in score_.confused)
        assert wrong + score_.first["species"] * score_.queries == pytest.approx(score_.queries)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"scores": {"i2t": {"map": 2}}}, "scores.i2t"),
        ({"status": "best"}, "status"),
        ({"status": []}, "status"),
        ({"record_version": 99}, "record_version"),
        ({"extra": 1}, "extra"),
        ({"means": 3}, "means"),
    ],
)
def test_a_record_edited_by_hand_is_refused_with_its_place(submitted, small, change, where):
    document = json.loads(score(submitted, small).record.to_json()) | change
    with pytest.raises(FaultyInput) as caught:
        Record.from_json(json.dumps(document))
    assert [f.where for f in caught.value.faults] == [where]


@pytest.mark.parametrize("text", ["", "[]", '{"a": NaN}', "[" * 100_000, "null"])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(FaultyInput):
        Record.from_json(text)


def test_the_torch_backend_agrees(submitted, small):
    pytest.importorskip("torch")
    here = score(submitted, small).record
    there = score(submitted, small, device="cpu").record
    for code in here.scores:
        assert there.scores[code].map == pytest.approx(here.scores[code].map, abs=1e-6)


def test_without_torch_a_device_names_the_extra(submitted, small, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(InputError, match=r"fgbench\[train\]"):
        score(submitted, small, device="cuda")


def test_a_result_is_written_to_an_address_as_to_a_folder(submitted, small, tmp_path):
    result, url = score(submitted, small), f"memory://{tmp_path.name}/run"
    result.write(tmp_path / "run")
    result.write(url)
    for name in ("record.json", "per_query.parquet", "run.json"):
        assert remote.read(f"{url}/{name}") == (tmp_path / "run" / name).read_bytes()
    found = fgbench.compare(url, tmp_path / "run", benchmark=small)
    assert (found.a.source, found.a.submission) == (url[:60], found.b.submission)

    held = result.record.to_json().replace(result.record.submission["sha256"], "0" * 64)
    remote.write(f"{url}/record.json", held.encode())
    with pytest.raises(InputError, match="FG-R002"):
        result.write(url)
    assert remote.read(f"{url}/record.json") == held.encode()


def test_a_folder_that_cannot_be_made_is_told(submitted, small, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FgbenchError, match="FG-D010"):
        score(submitted, small).write(tmp_path / "file" / "run")
