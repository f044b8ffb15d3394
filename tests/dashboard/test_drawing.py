"""What a saved picture says beneath itself."""

from dashboard.drawing import footer


def test_a_footer_joins_what_there_is_without_the_marks_of_markdown() -> None:
    assert (
        footer("", r"data\: demo", "**CIGF** `dim=24`, a_b, 2 * 3") == "data: demo · CIGF dim=24, a_b, 2 * 3"
    )
