"""Archives of several files: what is unpacked, under which names, and what is refused."""

import io
import zipfile

import pytest

from core.data.dataset import open_dataset
from core.data.importers.archives import MOST_FILES, packed_files, unpacked_folder
from core.data.importers.limits import MEGABYTE, Limits
from core.data.importers.preview import preview
from core.data.importers.registry import import_dataset
from core.errors import DataError
from tests.core.data.importers.graph_folders import acm, stored, tables


def archive(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def test_a_packed_folder_is_imported_like_the_folder(home, tmp_path):
    litter = {"__MACOSX/acm/._pa.txt": b"x", "acm/.DS_Store": b"x", "acm/": b""}
    files = {f"acm/{name}": stored(name, content) for name, content in acm().items()}
    source = archive(tmp_path / "ACM.zip", files | litter)
    assert preview(source).layout == "heco"
    info = import_dataset(home, "auto", source, "tiny")
    assert (info.importer, info.source) == ("heco", str(source))
    assert not any("not read" in note for note in info.notes)
    deep = {f"x/{name}": stored(name, content) for name, content in tables().items()}
    assert import_dataset(home, "auto", archive(tmp_path / "t.zip", deep), "deep").importer == "hetero"
    assert open_dataset(home, "deep").info.nodes["paper"] == 13


def test_messages_tell_of_the_archive_and_nothing_is_left(tmp_path, home):
    files = {name: stored(name, content) for name, content in (acm() | {"labels.npy": b"x"}).items()}
    source = archive(tmp_path / "acm.zip", files)
    with pytest.raises(DataError, match=r"acm.zip/labels.npy: is no readable NumPy matrix"):
        import_dataset(home, "auto", source, "tiny")
    with unpacked_folder(source, Limits()) as folder:
        assert folder.is_dir()
    assert not folder.exists()


@pytest.mark.parametrize("files", [{}, {"a.csv": b"user,item\n1,2\n"}, {"a.csv": b"x", ".hidden": b"y"}])
def test_an_archive_of_one_file_is_left_to_the_readers_of_tables(tmp_path, files):
    source = archive(tmp_path / "one.zip", files)
    assert packed_files(source, Limits()) == []
    with unpacked_folder(source, Limits()) as found:
        assert found == source


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.csv": b"x", "../b.csv": b"y"}, "the member '../b.csv' points outside of the archive"),
        (
            {"a/x.csv": b"x", "b/X.csv": b"y"},
            "holds two files called 'X.csv'; folders are left out, so rename one",
        ),
        ({"a.csv": bytes(11 * MEGABYTE), "b.csv": b"y"}, "unpacks to more than the 10 MB allowed"),
        (
            {f"{n}.csv": b"" for n in range(MOST_FILES + 1)},
            "holds 1,001 files, at most 1,000 make a data set",
        ),
    ],
)
def test_what_must_not_be_unpacked_is_refused(tmp_path, files, message):
    source = archive(tmp_path / "bad.zip", files)
    with pytest.raises(DataError, match=message), unpacked_folder(source, Limits(MEGABYTE)):
        pass


def test_a_damaged_member_and_a_password_are_told(tmp_path):
    whole = archive(tmp_path / "good.zip", {"a.csv": b"abc" * 500, "b.csv": b"xyz" * 500}).read_bytes()
    broken = bytearray(whole)
    broken[40:44] = b"\x00\x00\x00\x00"
    (tmp_path / "broken.zip").write_bytes(broken)
    with (
        pytest.raises(DataError, match="is truncated or damaged"),
        unpacked_folder(tmp_path / "broken.zip", Limits()),
    ):
        pass
    locked = bytearray(whole)
    at = whole.index(b"PK\x01\x02") + 8
    locked[at] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(DataError, match="is encrypted; pack the files without"):
        packed_files(tmp_path / "locked.zip", Limits())
    assert zipfile.is_zipfile(io.BytesIO(whole))
