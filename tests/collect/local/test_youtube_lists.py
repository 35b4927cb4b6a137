"""The lists of YouTube Birds in the form that their readers know, and every way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fgbench.collect.local.youtube_lists import read_lists
from fgbench.dataset.schema import Split
from fgbench.errors import FaultyInput, InputError
from fgbench.species import species

NAMES = {"0": "Black footed Albatross", "1": "Laysan_Albatross", "2": "003.Sooty_Albatross"}
TRAIN = [["aaaaaaaaaaa", 0], ["bbbbbbbbbb-", 1], ["ccccccccc_0", 2]]
TEST = [["ddddddddddd", "1"]]


def write(folder: Path, names: object = NAMES, train: object = TRAIN, test: object = TEST) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "label2name.json").write_text(json.dumps(names))
    (folder / "train_list.json").write_text(json.dumps(train))
    (folder / "test_list.json").write_text(json.dumps(test))
    return folder


def test_clips_classes_and_sides(tmp_path: Path) -> None:
    clips, remarks = read_lists(write(tmp_path))
    assert [(clip.youtube_id, clip.bird.cub_id, clip.split) for clip in clips] == [
        ("ddddddddddd", 2, Split.TEST),
        ("aaaaaaaaaaa", 1, Split.TRAIN),
        ("bbbbbbbbbb-", 2, Split.TRAIN),
        ("ccccccccc_0", 3, Split.TRAIN),
    ]
    assert remarks == (
        "test_list.json has 1 entries; the paper counts 5,684",
        "train_list.json has 3 entries; the paper counts 12,666",
    )


@pytest.mark.parametrize("first", [0, 1, 1000])
@pytest.mark.parametrize(
    "spell", [lambda b: b.cub_name, lambda b: b.cub_name[4:].replace("_", " ")]
)
def test_every_class_is_found_by_its_name_whatever_its_number(
    tmp_path: Path, first: int, spell
) -> None:
    order = sorted(species(), key=lambda bird: bird.cub_name[::-1])
    names = {str(k): spell(bird) for k, bird in enumerate(order, first)}
    train = [[f"{k:011}", k] for k, _ in enumerate(order, first)]
    clips, _ = read_lists(write(tmp_path, names, train, []))
    assert [clip.bird for clip in clips] == order


@pytest.mark.parametrize("gone", ["label2name.json", "train_list.json", "test_list.json"])
def test_without_lists_it_says_where_to_ask(tmp_path: Path, gone: str) -> None:
    (write(tmp_path) / gone).unlink()
    with pytest.raises(InputError) as caught:
        read_lists(tmp_path)
    assert caught.value.code == "FG-L010"
    assert caught.value.exit_code == 2
    assert gone in caught.value.what
    assert "https://zhuchen03.github.io/projects/fgvc/" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "found", "expected"),
    [
        ({"names": []}, "list", "labels and names"),
        ({"names": {"0": "Dodo"}, "train": [], "test": []}, "Dodo", "a class"),
        ({"names": {"0": "7"}, "train": [], "test": []}, "not a name", "a class"),
        ({"names": {"0": 7}, "train": [], "test": []}, "not a name", "a class"),
        ({"names": {**NAMES, "9": "Laysan Albatross"}}, "labels 1, 9 are all", "one label a class"),
        ({"train": {"a": 1}}, "dict", "a list of pairs"),
        ({"train": [*TRAIN, ["eeeeeeeeeee"], 5]}, "['eeeeeeeeeee'] and 1 more", "a pair"),
        ({"train": [["../../etc/p", 0]]}, "../../etc/p", "a YouTube id"),
        ({"train": [["aaaaaaaaaaa\n", 0]]}, "aaaaaaaaaaa", "a YouTube id"),
        ({"test": [["aaaaaaaaaaa", 77]] * 3}, "77] and 2 more", "a label of label2name.json"),
        ({"test": [["aaaaaaaaaaa", None]]}, "None", "a label of label2name.json"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict, found: str, expected: str) -> None:
    with pytest.raises(FaultyInput) as caught:
        read_lists(write(tmp_path, **change))
    (fault,) = caught.value.faults
    assert fault.code == "FG-L011"
    assert found in fault.found
    assert expected in fault.expected


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, {**NAMES, "3": "Dodo", "4": "Moa"}, [["x", 0], ["aaaaaaaaaaa", 99]], 7)
    (tmp_path / "test_list.json").write_bytes(b"[" * 100_000)
    with pytest.raises(FaultyInput) as caught:
        read_lists(tmp_path)
    assert [fault.where for fault in caught.value.faults] == [
        "label2name.json, label 3",
        "label2name.json, label 4",
        "test_list.json",
        "train_list.json",
        "train_list.json",
    ]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"NaN{}"])
def test_files_that_are_no_json(tmp_path: Path, content: bytes) -> None:
    (write(tmp_path) / "label2name.json").write_bytes(content)
    with pytest.raises(FaultyInput, match="a JSON file"):
        read_lists(tmp_path)
