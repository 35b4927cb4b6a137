from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.settings import Secret, Settings, load, variable

KEY = "s3cr3t-k3y"


@pytest.fixture
def home(tmp_path):
    """An environment whose settings file is ``tmp_path/fgbench/settings.yaml``."""
    (tmp_path / "fgbench").mkdir()
    return {"XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def write(home, text: str | bytes) -> Path:
    file = Path(home["XDG_CONFIG_HOME"]) / "fgbench" / "settings.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_without_any_setting(home, tmp_path):
    assert load(home) == Settings(cache=tmp_path / "cache" / "fgbench")
    assert load({}).cache == Path("~/.cache/fgbench").expanduser()


def test_names_are_the_same_in_file_and_environment(home):
    write(
        home,
        f"""
        fgbench_contact: you@lab.example
        fgbench_cache: ~/birds
        fgbench_use_proxy: true
        fgbench_xeno_canto_key: {KEY}
        fgbench_site_xeno_canto_url: http://127.0.0.1:8080/
        """,
    )
    settings = load(home)
    assert settings.contact == "you@lab.example"
    assert settings.cache == Path("~/birds").expanduser()
    assert settings.use_proxy
    assert settings.keys["FGBENCH_XENO_CANTO_KEY"].reveal() == KEY
    assert settings.override("xeno-canto") == "http://127.0.0.1:8080"
    assert settings.override("freesound") is None


def test_the_environment_wins_where_it_says_anything(home):
    write(home, "fgbench_contact: a@file.example\nfgbench_freesound_token: from-file")
    settings = load(
        home
        | {
            "FGBENCH_CONTACT": "https://lab.example/me",
            "FGBENCH_FREESOUND_TOKEN": "",
            "FGBENCH_EBIRD_TOKEN": KEY,
            "FGBENCH_REAL_DATA": "/somewhere",
        }
    )
    assert settings.contact == "https://lab.example/me"
    assert settings.keys["FGBENCH_FREESOUND_TOKEN"].reveal() == "from-file"
    assert sorted(settings.keys) == ["FGBENCH_EBIRD_TOKEN", "FGBENCH_FREESOUND_TOKEN"]


def test_a_named_file_must_be_there(home, tmp_path):
    with pytest.raises(InputError, match=r"FG-K001.*no-such\.yaml"):
        load(home | {"FGBENCH_SETTINGS": str(tmp_path / "no-such.yaml")})
    named = tmp_path / "mine.yaml"
    named.write_text("fgbench_contact: you@lab.example")
    assert load(home | {"FGBENCH_SETTINGS": str(named)}).contact == "you@lab.example"


def test_every_fault_at_once_and_no_value_that_may_be_a_key(home):
    write(
        home,
        f"""
        fgbench_contcat: you@lab.example
        fgbench_freesound_token: 123456
        fgbench_ebird_token: "{KEY} with spaces"
        """,
    )
    environment = home | {
        "FGBENCH_CONTACT": "a\nX-Evil: 1",
        "FGBENCH_USE_PROXY": "yes",
        "FGBENCH_SITE_EBIRD_URL": f"https://me:{KEY}@mirror.example/path",
    }
    with pytest.raises(FaultyInput) as caught:
        load(environment)
    said = str(caught.value)
    assert len(caught.value.faults) == 6
    for name in (
        "fgbench_contcat",
        "fgbench_freesound_token",
        "fgbench_ebird_token",
        "FGBENCH_CONTACT",
        "FGBENCH_USE_PROXY",
        "FGBENCH_SITE_EBIRD_URL",
    ):
        assert name in said
    assert KEY not in said
    assert "123456" not in said


@pytest.mark.parametrize(
    "content",
    [
        "- a\n- list",
        "just text",
        "a: [",
        "a: !!python/object/apply:os.system [true]",
        b"\xff\xfe\x00",
        "a: " + "[" * 5000,
        "x" * 70_000,
    ],
)
def test_a_file_that_is_no_settings_file(home, content):
    write(home, content)
    with pytest.raises(FaultyInput, match="FG-K00"):
        load(home)


def test_an_empty_file_is_no_fault(home):
    write(home, "# nothing yet\n")
    assert load(home).contact == ""


@pytest.mark.parametrize(
    "base",
    [
        "127.0.0.1:8080",
        "ftp://a",
        "http://",
        "http://a/w",
        "http://a?x",
        "http://a:b@c",
        "http://a:99999",
        "http://a b",
    ],
)
def test_a_stand_in_is_scheme_and_host_alone(base):
    with pytest.raises(FaultyInput, match=r"FG-K004.*FGBENCH_SITE_EBIRD_URL"):
        load({"FGBENCH_SITE_EBIRD_URL": base})


def test_a_stand_in_for_no_site_is_refused():
    settings = Settings(sites={"FGBENCH_SITE_WIKPEDIA_URL": "http://127.0.0.1:1"})
    with pytest.raises(FaultyInput, match=r"FG-K005.*FGBENCH_SITE_WIKPEDIA_URL"):
        settings.check_overrides(["wikipedia", "xeno-canto"])
    Settings(sites={variable("xeno-canto"): "http://a"}).check_overrides(["xeno-canto"])


def test_a_contact_from_the_command_line_is_checked_too():
    assert Settings().with_contact("you@lab.example").contact == "you@lab.example"
    with pytest.raises(FaultyInput, match=r"FG-K004.*--contact"):
        Settings().with_contact("me")


def test_a_key_shows_itself_to_nobody():
    settings = Settings(keys={"FGBENCH_A_KEY": Secret(KEY)})
    secret = settings.keys["FGBENCH_A_KEY"]
    for said in (repr(settings), str(settings), f"{secret}", f"{secret!r}", str(vars(Secret))):
        assert KEY not in said
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never leaves the process"):
            pickle.dumps(settings, protocol)
