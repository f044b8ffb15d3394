"""What a saved picture says beneath itself."""

from streamlit.testing.v1 import AppTest

from dashboard import drawing
from dashboard.drawing import footer


def test_a_footer_joins_what_there_is_without_the_marks_of_markdown() -> None:
    assert (
        footer("", r"data\: demo", "**CIGF** `dim=24`, a_b, 2 * 3") == "data: demo · CIGF dim=24, a_b, 2 * 3"
    )


def two_pages() -> None:
    import pandas as pd
    import plotly.graph_objects as go

    from dashboard import drawing, states

    def figure(name: str, about: str = "") -> None:
        drawing.show(
            go.Figure(), pd.DataFrame({"a": [1]}), name=name, source="Eq. 9", alt="nothing", about=about
        )

    with states.page("One?", "A page about a run."):
        figure("before")
        drawing.context("`a-run`", "**CIGF** · demo")
        figure("own")
        figure("other", about="two runs")
    with states.page("Two?", "A page about nothing."):
        figure("after")


def test_pictures_repeat_their_page_s_context_until_another_page_begins(monkeypatch) -> None:
    told = []
    monkeypatch.setattr(drawing, "_image_buttons", lambda **given: told.append(given["data"]["footer"]))
    app = AppTest.from_function(two_pages).run()
    assert not app.exception
    assert told == ["Eq. 9", "CIGF · demo · a-run · Eq. 9", "two runs · Eq. 9", "Eq. 9"]
