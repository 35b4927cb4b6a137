"""``fgbench retrieve`` as its users meet it: what is printed, exit codes, one JSON document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_gallery import write_gallery, write_run

from fgbench.cli import main


@pytest.fixture
def build(tmp_path: Path) -> Path:
    write_run(tmp_path / "run")
    return write_gallery(tmp_path / "build")


@pytest.fixture
def retrieve(build, tmp_path, capsys, monkeypatch):
    """Call ``fgbench retrieve`` of the small run; returns exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def retrieve(*arguments, run=tmp_path / "run"):
        code = 0
        try:
            main(["retrieve", *map(str, arguments), "--run", str(run), "--benchmark", str(build)])
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return retrieve


def test_what_is_found_is_shown_with_right_and_wrong(retrieve):
    code, out, err = retrieve("image/bird_0", "--to", "text,audio", "--top", "3")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[:3] for line in lines if "→" in line] == [
        ["image", "→", "text"],
        ["image", "→", "audio"],
    ]
    assert [line.split() for line in lines if " text/" in line] == [
        ["1", "1.000", "✓", "right", "Black-footed", "Albatross", "text/0"],
        ["2", "0.995", "✓", "right", "Black-footed", "Albatross", "text/3"],
        ["3", "0.755", "✗", "wrong", "Laysan", "Albatross", "text/1"],
    ]
    assert "AP 1.000" in out
    assert "2 of 3 right. Relevant: 2 of 6. Score: cosine." in out
    assert "Tied" not in out


def test_nothing_of_the_data_reaches_the_terminal_raw(retrieve, build):
    (build / "media/image/bird_0.jpg").write_bytes(b"")
    code, out, err = retrieve("image/bird_0", "--to", "all", "--html", build / "p.html")
    assert code == 3
    assert "FG-M002" in err
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)
    assert "<script>document" in out


def test_galleries_are_all_other_media_unless_named(retrieve):
    _, out, _ = retrieve("text/4", "--json", "--top", "2")
    document = json.loads(out)
    assert [g["gallery"] for g in document["galleries"]] == ["image", "video", "audio"]
    assert document["query"] == {
        "test_item": True,
        "item_id": "text/4",
        "medium": "text",
        "label": 1,
        "species": "Laysan Albatross",
        "title": document["query"]["title"],
    }
    assert document["self"] == "excluded"
    (hit, _) = document["galleries"][0]["hits"]
    assert (hit["item_id"], hit["rank"], hit["ties"], hit["right"]) == ("image/bird_4", 1, 1, True)
    assert document["html"] is None


def test_a_page_is_written_and_named(retrieve, tmp_path):
    code, out, _ = retrieve("audio/bird_2", "--to", "image", "--html", tmp_path / "p.html")
    assert code == 0
    assert "p.html" in out
    html = (tmp_path / "p.html").read_text("utf-8")
    assert "Sooty Albatross" in html
    code, out, _ = retrieve("audio/bird_2", "--html", tmp_path / "p.html", "--json")
    assert json.loads(out)["html"] == str(tmp_path / "p.html")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["image/brid_0"], "FG-Q001"),
        (["image/bird_0", "--to", "texts"], "--to"),
        (["image/bird_0", "--to", ""], "--to"),
        (["image/bird_0", "--top", "0"], "--top"),
        (["a dark seabird", "--as", "text"], "FG-Q006"),
    ],
)
def test_a_users_mistake_is_exit_2_and_writes_nothing(retrieve, tmp_path, arguments, said):
    code, out, err = retrieve(*arguments, "--html", tmp_path / "p.html")
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "p.html").exists()


def test_a_folder_without_a_submission_is_refused(retrieve, tmp_path):
    code, _, err = retrieve("image/bird_0", run=tmp_path / "none")
    assert code == 2
    assert "FG-Q005" in err
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/submission.npz").write_text("0.1 0.2")
    code, _, err = retrieve("image/bird_0", run=tmp_path / "broken")
    assert code == 2
    assert "FG-S002" in err


def test_a_submission_may_be_named_itself(retrieve, tmp_path):
    run = tmp_path / "run/submission.npz"
    assert retrieve("image/bird_0", "--json", run=run) == retrieve("image/bird_0", "--json")
