"""Error messages as a page shows them."""

import errno

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.systems import CATALOG
from core.errors import ConfigError, RunError
from dashboard import states


def complaint(variant: str | None, **settings: object) -> str:
    with pytest.raises(ConfigError) as caught:
        CATALOG["cigf"].resolve("small", variant, settings)
    return states.readable(caught.value)


def test_a_config_error_keeps_the_problem_and_drops_the_dump() -> None:
    assert complaint("base", num_heads=2) == "encoder=per_behavior has no attention: num_heads must be 1"


def test_a_setting_out_of_range_is_named() -> None:
    text = complaint(None, dim=-4)
    assert text.startswith("dim: ")
    assert "Settings:" not in text


def test_other_messages_stay_as_they_are() -> None:
    assert states.readable(RunError("run 'x' is done; resume it")) == "run 'x' is done; resume it"


def test_markdown_in_foreign_text_is_escaped() -> None:
    assert states.plain("a*b_[c](d) $e$") == r"a\*b\_\[c\](d) \$e\$"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Make room on the disk"), (errno.EROFS, "Make the home folder writable")],
)
def test_what_the_disk_refuses_is_a_box_with_the_remedy(number, remedy) -> None:
    def script(number: int) -> None:
        import os

        from dashboard import states

        with states.guarded():
            raise OSError(number, os.strerror(number), "/home/runs/a/status.json")

    app = AppTest.from_function(script, args=(number,)).run()
    assert not app.exception
    assert remedy in app.error[0].value
    assert "status" in app.error[0].value
