import errno
import signal

import pytest

from core import cli
from core.files import DISK_FULL_STATUS
from core.runs.endings import ending_in_words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "vanished"),
        (-signal.SIGKILL, "killed by SIGKILL: out of memory"),
        (-signal.SIGTERM, "killed by SIGTERM"),
        (DISK_FULL_STATUS, "the disk was full: make room"),
        (3, "exit code 3"),
    ],
)
def test_an_ending_is_told_in_words(status, words):
    assert words in ending_in_words(status)


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, DISK_FULL_STATUS), (errno.EACCES, 1)])
def test_a_full_disk_has_an_exit_status_of_its_own(number, status, monkeypatch, tmp_path, capsys):
    def refuse(home, args):
        raise OSError(number, "refused")

    monkeypatch.setitem(cli.ACTS, "runs", refuse)
    assert cli.main(["runs", "--home", str(tmp_path)]) == status
    assert "refused; check the disk" in capsys.readouterr().err
