"""The build: the same bytes twice, the released tables again, and no disagreement unresolved."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.manifests.build import HERE, build, differences
from fgbench.manifests.claims import Claims, differ, quote
from fgbench.manifests.fgxmedia import build_fgxmedia
from fgbench.manifests.sources import Sources
from fgbench.manifests.species import Resolution, build_species, read_resolutions


@pytest.fixture(scope="module")
def sources(real_data: Path) -> Sources:
    return Sources(real_data)


@pytest.fixture(scope="module")
def built(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build(real_data, out)
    return out


def test_equal_sources_give_equal_bytes(built: Path, real_data: Path, tmp_path: Path) -> None:
    build(real_data, tmp_path)
    names = sorted(p.relative_to(built) for p in built.rglob("*") if p.is_file())
    assert len(names) == 7
    assert names == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for name in names:
        assert (built / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_released_tables_equal_a_rebuild(built: Path) -> None:
    assert differences(built, HERE) == []


def test_differences_are_noticed(built: Path, tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "released")
    lists = tmp_path / "released" / "fgxmedia-2019"
    shutil.copy(lists / "text.parquet", lists / "audio.parquet")
    (tmp_path / "released" / "species.parquet").unlink()
    found = differences(built, tmp_path / "released")
    assert found == ["fgxmedia-2019/audio.parquet", "species.parquet"]


def test_a_missing_source_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        build(tmp_path, tmp_path / "out")
    assert caught.value.code == "FG-M001"
    assert not (tmp_path / "out").exists()


def test_quotes_keep_equal_names_together() -> None:
    claims = [("a", "Grey-crowned Finch"), ("b", "Gray_crowned_Finch"), ("c", "Crow")]
    assert quote(claims) == "Grey-crowned Finch [a, b]; Crow [c]"
    assert differ(claims)
    assert not differ(claims[:2])


def resolutions() -> dict[tuple[int, str], Resolution]:
    return dict(read_resolutions(HERE / "resolutions.csv"))


def test_a_disagreement_without_a_decision_stops_the_build(sources: Sources) -> None:
    decided = resolutions()
    del decided[31, "scientific_name"], decided[96, "name"]
    with pytest.raises(FaultyInput) as caught:
        build_species(sources, decided)
    assert [(f.code, f.where) for f in caught.value.faults] == [
        ("FG-M003", "class 31, scientific_name"),
        ("FG-M003", "class 96, name"),
    ]
    assert "Macropygia nigrirostris [hubanton-latin]" in str(caught.value)


def test_misquoted_and_needless_decisions_stop_the_build(sources: Sources) -> None:
    decided = resolutions()
    decided[31, "scientific_name"] = dataclasses.replace(decided[31, "scientific_name"], said="?")
    decided[1, "name"] = decided[17, "name"]
    with pytest.raises(FaultyInput) as caught:
        build_species(sources, decided)
    assert {f.code for f in caught.value.faults} == {"FG-M003", "FG-M004"}
    assert "class 1, name" in {f.where for f in caught.value.faults}


def test_a_choice_outside_the_checklist_stops_the_build(sources: Sources) -> None:
    decided = resolutions()
    chosen = dataclasses.replace(decided[31, "scientific_name"], chosen="Coccyzus nonsense")
    decided[31, "scientific_name"] = chosen
    with pytest.raises(FaultyInput, match="Coccyzus nonsense"):
        build_species(sources, decided)


def test_an_unknown_code_stops_the_build(sources: Sources) -> None:
    decided = resolutions()
    decided[130, "species"] = dataclasses.replace(decided[130, "species"], chosen="amtspa; nocode")
    with pytest.raises(FaultyInput, match="amtspa; nocode"):
        build_species(sources, decided)


def test_every_disagreement_is_decided_and_quoted(sources: Sources) -> None:
    """Once more from the claims alone: the decisions' classes are those that differ."""
    claims = Claims(sources)
    differing = {
        (cub_id, field)
        for cub_id in sources.classes
        for field, said in (
            ("name", [(s, v) for s, v, _ in claims.common_names(cub_id)]),
            ("scientific_name", claims.scientific_names(cub_id)),
        )
        if differ(said)
    }
    decided = {key for key in resolutions() if key[1] in ("name", "scientific_name")}
    assert decided == differing
    assert len({cub_id for cub_id, _ in decided}) >= 20


def copy_lists(real_data: Path, out: Path) -> None:
    for name in ("cub_metadata", "fgxmedia_lists"):
        shutil.copytree(real_data / name, out / name, copy_function=shutil.copyfile)


@pytest.mark.parametrize(
    ("path", "old", "new", "where"),
    [
        ("fgxmedia_lists/text/test.txt", " 199", " 198", "text, class in the path"),
        ("fgxmedia_lists/audio/testlabel.txt", "199", "198", "audio/testlabel.txt"),
        ("fgxmedia_lists/image/test.txt", "_0046_18.jpg", "_0046_19.jpg", "image test against CUB"),
        ("cub_metadata/train_test_split.txt", "2 1\n", "2 0\n", "image train against CUB"),
        ("fgxmedia_lists/video/testlabel.txt", "39\r\n", "", "video test"),
    ],
)
def test_lists_that_contradict_stop_the_build(
    real_data: Path, tmp_path: Path, path: str, old: str, new: str, where: str
) -> None:
    copy_lists(real_data, tmp_path)
    text = (tmp_path / path).read_bytes().decode()
    assert old in text
    (tmp_path / path).write_bytes(text.replace(old, new, 1).encode())
    with pytest.raises(FaultyInput) as caught:
        build_fgxmedia(Sources(tmp_path))
    assert any(where in fault.where for fault in caught.value.faults), caught.value
