"""Bounds on sources: files, archives and bombs of every packing, refused before they fill disk or memory."""

import gzip
import io
import os
import tracemalloc
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.importers.limits import DEFAULT_LIMITS, MEGABYTE, Limits, checked_size, unpacked
from core.data.importers.registry import import_dataset
from core.errors import DataError

ROW = b"1,2\n"
ONE = Limits(MEGABYTE)


def zip_bomb(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as member:
        member.write(b"user,item\n")
        for _ in range(size // MEGABYTE):
            member.write(ROW * (MEGABYTE // len(ROW)))
    return file.getvalue()


def gzip_bomb(size: int) -> bytes:
    member = gzip.compress(ROW * (MEGABYTE // len(ROW)))
    return gzip.compress(b"user,item\n") + member * (size // MEGABYTE)


def test_defaults_are_200_megabytes_and_what_follows():
    assert DEFAULT_LIMITS.max_bytes == 200 * MEGABYTE
    assert DEFAULT_LIMITS.unpacked_bytes == 2_000 * MEGABYTE
    assert DEFAULT_LIMITS.rows == 50 * MEGABYTE


def test_a_sparse_file_over_the_limit_is_refused_unread(home, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(200 * MEGABYTE + 1)
    with pytest.raises(
        DataError, match=r"large.csv: holds 200 MB, more than the 200 MB allowed; .*--max-size 201"
    ):
        import_dataset(home, "auto", path, "tiny")
    assert checked_size(path, Limits(201 * MEGABYTE)) == 200 * MEGABYTE + 1
    assert not home.root.exists()


@pytest.mark.parametrize("bomb", [zip_bomb, gzip_bomb])
def test_bombs_are_refused_in_little_memory(home, tmp_path, bomb):
    path = tmp_path / "bomb"
    path.write_bytes(bomb(30 * MEGABYTE))
    assert path.stat().st_size < MEGABYTE
    tracemalloc.start()
    try:
        with pytest.raises(
            DataError, match=r"bomb: (unpacks to|holds) more than the .* allowed; .*--max-size"
        ):
            import_dataset(home, "table", path, "tiny", max_mb=1)
        assert tracemalloc.get_traced_memory()[1] < 30 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert not home.root.exists()


def consume(path, limits: Limits) -> None:
    with unpacked(path, limits) as plain:
        while plain.read(MEGABYTE):
            pass


def test_what_packs_too_well_is_no_table(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip_bomb(70 * MEGABYTE))
    with pytest.raises(
        DataError, match="unpack to more than 250 times as many, which no table of interactions"
    ):
        consume(path, Limits(20 * MEGABYTE))


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    """The member declares 10 bytes and holds 30 MB; reading stops at what is declared, and the checksum fails."""
    content = bytearray(zip_bomb(3 * MEGABYTE))
    true_size = (3 * MEGABYTE + 10).to_bytes(4, "little")
    assert content.count(true_size) >= 1
    path = tmp_path / "liar.zip"
    path.write_bytes(bytes(content).replace(true_size, (10).to_bytes(4, "little")))
    with pytest.raises(DataError, match=r"liar.zip: .*(damaged|no readable zip)"):
        consume(path, ONE)


def test_archives_of_many_members_are_refused_before_they_are_listed(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number:08}.csv", b"")
    with pytest.raises(DataError, match="lists too many members"):
        consume(path, DEFAULT_LIMITS)


def test_more_rows_than_a_plain_file_could_hold_are_refused(home, tmp_path):
    """A column of one repeated value costs Parquet a few bytes however long it is."""
    path = tmp_path / "long.parquet"
    column = pa.array([7] * 400_000)
    pq.write_table(pa.table({"user": column, "item": column}), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match=r"holds more than the 262144 rows allowed; .*--max-size 2"):
        import_dataset(home, "table", path, "tiny", max_mb=1)
    packed = tmp_path / "long.csv.gz"
    packed.write_bytes(gzip_bomb(2 * MEGABYTE))
    with pytest.raises(DataError, match=r"holds more than the 262144 rows allowed"):
        import_dataset(home, "table", packed, "tiny", max_mb=1)


def test_what_is_no_regular_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist or is no regular file"):
        checked_size(tmp_path / "nowhere", ONE)
    with pytest.raises(DataError, match="is a folder, expected a file"):
        checked_size(tmp_path, ONE)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is no regular file"):
        checked_size(tmp_path / "pipe", ONE)
