"""Files are replaced whole or not at all; names cannot leave the home."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.files import read_json, replacing, write_json, write_with
from core.home import Home, checked_name, find_home


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../x",
        "a/b",
        "/etc/passwd",
        "a\\b",
        ".hidden",
        "-rf",
        "_x",
        "a..b",
        "ends.",
        "a b",
        "a\n",
        "a\x00",
        "ü",
        "x" * 81,
    ],
)
def test_names_that_could_leave_their_folder_are_refused(name: str):
    with pytest.raises(ConfigError, match=r"run id .* is not allowed"):
        checked_name(name, "run id")
    with pytest.raises(ConfigError):
        Home(Path("/home")).run(name)
    with pytest.raises(ConfigError):
        Home(Path("/home")).dataset(name)


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "20250131-cigf-s0", "x" * 80])
def test_plain_names_are_kept(name: str):
    assert checked_name(name, "run id") == name
    assert Home(Path("/home")).run(name) == Path("/home/runs") / name


def test_the_home_is_explicit_then_from_the_environment_then_the_workspace(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELSCOPE_HOME", raising=False)
    assert find_home().root == tmp_path / "workspace"
    monkeypatch.setenv("RELSCOPE_HOME", str(tmp_path / "env"))
    assert find_home().root == tmp_path / "env"
    assert find_home("here").root == tmp_path / "here"
    assert not list(tmp_path.iterdir()), "nothing is created by looking"


def test_replacing_shows_the_new_content_only_when_complete(tmp_path: Path):
    path = tmp_path / "deep" / "file.bin"
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_the_old_file_and_no_rubbish(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")

    def spoil() -> None:
        with replacing(path) as file:
            file.write(b"half of the new")
            raise error

    with pytest.raises(error):
        spoil()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_round_trip_and_refusal_of_nan(tmp_path: Path):
    path = tmp_path / "value.json"
    write_json(path, {"text": "ü", "list": [1, 2.5, None]})
    assert read_json(path) == {"text": "ü", "list": [1, 2.5, None]}
    with pytest.raises(ValueError):
        write_json(path, {"bad": float("nan")})
    assert read_json(path)["text"] == "ü"


def test_write_with_hands_over_an_open_file(tmp_path: Path):
    write_with(tmp_path / "x", lambda file: file.write(b"content"))
    assert (tmp_path / "x").read_bytes() == b"content"
