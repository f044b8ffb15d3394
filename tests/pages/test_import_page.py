"""The Import page in every state: nothing brought, previewed, wrongly mapped, running, failed, vanished, done."""

import io
import json
import signal
import zipfile

import numpy as np
import pandas as pd
import pytest

from core.data import import_jobs, import_work
from core.data.dataset import open_dataset
from core.data.import_folder import ImportRequest, ImportStatus, open_job
from core.home import Home
from core.locks import locked
from tests.core.data.importers import graph_folders
from tests.core.data.importers.mmrec_folders import GOOD, stored, write_folder
from tests.pages.conftest import texts

ODD = "Wann;Besucher;Ereignis;Artikel-Nr\n" + "".join(
    f"2024-01-{day:02d}T10:00:00;K{user};{event};{user}-{day}\n"
    for user in range(5)
    for day in range(1, 4)
    for event in ("view", "add to cart", "buy")
)
KNOWN = "user_id,item_id\n" + "".join(f"{user},{item}\n" for user in range(5) for item in range(4))


@pytest.fixture(autouse=True)
def worked(monkeypatch, home) -> list[str]:
    """No process is started: the worker does its work at once, inside of the test."""
    done = []

    def work(home: Home, token: str, request: ImportRequest, command=None) -> None:
        job = open_job(home, token)
        job.write_request(request)
        job.write_status(ImportStatus(state="running", act=request.act))
        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(import_work.signal, "signal", lambda *_: before)
        import_work.work(home, token)
        done.append(request.act)

    monkeypatch.setattr(import_jobs, "start", work)
    return done


def staged(home: Home, text: str = ODD, name: str = "Bestellungen März.csv") -> str:
    return import_jobs.stage(home, [(name, io.BytesIO(text.encode()))])


def box(app, label: str):
    return next(widget for widget in app.selectbox if widget.label == label)


def button(app, label: str):
    return next(widget for widget in app.button if widget.label == label)


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


def said(app) -> str:
    """Everything the page says, without the backslashes that keep names from being formatted."""
    return texts(app).replace("\\", "")


def imports(home: Home) -> list[str]:
    return [path.name for path in home.imports.iterdir()] if home.imports.is_dir() else []


def datasets(home: Home) -> list[str]:
    return [path.name for path in home.datasets.iterdir()] if home.datasets.is_dir() else []


def mapped(app):
    box(app, "User").select("Besucher").run()
    return box(app, "Item").select("Artikel-Nr").run()


def test_nothing_brought_says_what_can_be_read(home, opened):
    app = opened("import")
    told = texts(app)
    assert "MB-GMN pickles" in told
    assert ".parquet" in told
    assert "Read this path" in labels(app)
    assert not app.error


def test_one_table_is_previewed_as_soon_as_it_is_dropped(home, opened):
    app = opened("import")
    app.file_uploader[0].set_value([("../../Bestellungen März.csv", ODD.encode(), "text/csv")]).run()
    assert not app.exception
    (token,) = imports(home)
    assert app.query_params["job"] in (token, [token])
    assert "Bestellungen_März.csv" in said(app)
    assert list(app.dataframe[0].value.columns) == [
        "Wann → time",
        "Besucher",
        "Ereignis → behaviour",
        "Artikel-Nr",
    ]
    assert len(app.dataframe[0].value) == 20
    assert not app.file_uploader


def test_several_files_wait_until_all_are_there(home, opened):
    app = opened("import")
    pairs = "".join(f"{user} {item}\n" for user in range(3) for item in range(3)).encode()
    app.file_uploader[0].set_value([(f"{name}.txt", pairs, "text/plain") for name in ("view", "train")]).run()
    assert imports(home) == []
    button(app, "Read these files").click().run()
    assert "one text file per behaviour" in said(app)
    assert box(app, "Target").value == "buy"
    assert app.multiselect[0].value == ["view"]


def test_recbole_files_say_their_columns_and_have_texts_for_ids(home, opened):
    rows = "".join(f"u{user}\ti{item}\t4.0\n" for user in range(3) for item in range(4))
    app = opened(
        "import", job=staged(home, "user_id:token\titem_id:token\trating:float\n" + rows, "ml.inter")
    )
    assert "RecBole" in said(app)
    assert (box(app, "User").value, box(app, "Item").value) == ("user_id:token", "item_id:token")
    assert not app.segmented_control
    button(app, "Import").click().run()
    assert datasets(home) == ["ml"]
    assert open_dataset(home, "ml").users()["original_id"].tolist() == ["u0", "u1", "u2"]


def test_an_mmrec_folder_offers_the_scale_of_its_features(home, opened, tmp_path):
    app = opened("import", job=import_jobs.stage_path(home, str(write_folder(tmp_path / "music"))))
    assert "MMRec folder" in said(app)
    assert "text features: 7 x 5" in said(app)
    assert box(app, "Target").value == "interaction"
    app.segmented_control[0].set_value("unit").run()
    button(app, "Check").click().run()
    assert "text: rows scaled to length one" in said(app)
    assert "--features unit" in app.code[0].value
    button(app, "Import").click().run()
    assert not app.exception
    assert datasets(home) == ["music"]
    norms = np.linalg.norm(open_dataset(home, "music").features("image"), axis=1)
    assert norms == pytest.approx(1, abs=1e-5)


def test_an_mmrec_folder_can_be_uploaded_file_by_file(home, opened):
    files = [
        (name, content.encode() if isinstance(content, str) else stored(content), "application/octet-stream")
        for name, content in GOOD.items()
    ]
    app = opened("import")
    app.file_uploader[0].set_value(files).run()
    button(app, "Read these files").click().run()
    assert app.segmented_control[0].value == "as-given"
    button(app, "Import").click().run()
    assert datasets(home) == ["uploaded"]
    assert "the setting 'Features' would change that" in said(app)
    assert open_dataset(home, "uploaded").info.modalities == ("image", "text")


def field(app, label: str):
    return next(widget for widget in app.text_input if widget.label == label)


def files_of(graph: dict) -> dict[str, bytes]:
    return {name: graph_folders.stored(name, content) for name, content in graph.items()}


def test_a_heco_folder_is_looked_at_checked_and_stored(home, opened, tmp_path):
    source = graph_folders.write_folder(tmp_path / "ACM", graph_folders.acm())
    app = opened("import", job=import_jobs.stage_path(home, str(source)))
    assert "HeCo folder, a graph of typed nodes" in said(app)
    assert "edges: paper – author" in app.dataframe[0].value["holds"].tolist()
    assert box(app, "Target type").options == ["paper"]
    assert field(app, "Metapaths").value == "PAP=paper,author,paper; PSP=paper,subject,paper"
    assert "Relations: paper-pa-author, paper-ps-subject" in said(app)
    assert not [widget for widget in app.selectbox if widget.label in ("Target", "Held out for testing")]
    button(app, "Check").click().run()
    assert "acm would hold 23 nodes of 3 types, 29 edges and 3 classes of paper" in said(app)
    counts = app.dataframe[0].value
    assert counts["name"].tolist()[:3] == ["paper", "author", "subject"]
    assert counts[counts["what"] == "metapath"]["name"].tolist() == ["PAP", "PSP"]
    assert app.dataframe[1].value["training"].tolist() == [6]
    assert "3 classes of paper: 0 (5), 1 (4), 2 (4)" in said(app)
    button(app, "Import").click().run()
    assert "23 nodes of 3 types" in app.success[0].value
    assert open_dataset(home, "acm").info.target_type == "paper"


def test_a_heco_folder_can_be_uploaded_as_files_a_folder_or_an_archive(home, opened):
    files = files_of(graph_folders.acm())
    app = opened("import")
    app.file_uploader[0].set_value([(name, content, "x") for name, content in files.items()]).run()
    button(app, "Read these files").click().run()
    assert field(app, "Metapaths").value
    button(app, "Start over").click().run()
    app.segmented_control(key="import-kind").set_value("folder").run()
    brought = [(f"ACM data/{name}", content, "x") for name, content in files.items()]
    app.file_uploader[0].set_value([*brought, ("ACM data/.DS_Store", b"x", "x")]).run()
    button(app, "Read these files").click().run()
    assert "ACM data with 8 files" in said(app)
    assert field(app, "Name of the data set").value == "acm_data"
    assert "import heco 'ACM data' --name acm_data" in app.code[0].value
    button(app, "Start over").click().run()
    app.segmented_control(key="import-kind").set_value("files").run()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"acm/{name}", content)
    app.file_uploader[0].set_value([("Acm.zip", packed.getvalue(), "application/zip")]).run()
    assert "Acm.zip with 8 files" in said(app)
    button(app, "Import").click().run()
    assert datasets(home) == ["acm"]
    assert open_dataset(home, "acm").info.source == "Acm.zip (uploaded)"


def test_a_graph_of_tables_asks_for_target_and_metapaths(home, opened, tmp_path):
    labels = pd.DataFrame({"id": [10, 20, 30], "label": ["x", "y", "x"]})
    source = graph_folders.write_folder(
        tmp_path / "library", graph_folders.tables(), {"nodes/venue.parquet": labels}
    )
    token = import_jobs.stage_path(home, str(source))
    app = opened("import", job=token)
    assert box(app, "Target type").value is None
    assert "Choose the target type" in said(app)
    assert button(app, "Import").disabled
    box(app, "Target type").select("paper").run()
    assert field(app, "Metapaths").value == "PAP=paper,author,paper; PVP=paper,venue,paper"
    field(app, "Metapaths").set_value("PXP=paper,writer,paper").run()
    assert "no relation joins paper and writer; the relations are: paper-written_by-author" in said(app)
    assert "correct it in 'Metapaths' below" in said(app)
    assert button(app, "Check").disabled
    field(app, "Metapaths").set_value("PVP=paper,venue,paper").run()
    button(app, "Check").click().run()
    assert "Nothing stands in the way" in said(app)
    assert "--target-type paper --metapaths PVP=paper,venue,paper" in app.code[0].value
    again = opened("import", job=token)
    assert (box(again, "Target type").value, field(again, "Metapaths").value) == (
        "paper",
        "PVP=paper,venue,paper",
    )
    assert "Nothing stands in the way" in texts(again)
    box(again, "Target type").select("venue").run()
    assert field(again, "Metapaths").value == "VPV=venue,paper,venue"


def test_label_settings_can_be_drawn_anew(home, opened, tmp_path):
    source = graph_folders.write_folder(tmp_path / "ACM", graph_folders.acm())
    app = opened("import", job=import_jobs.stage_path(home, str(source)))
    box(app, "Label settings").select("random").run()
    button(app, "Import").click().run()
    assert "random, seed 0: 20 labels per class" in said(app)
    assert "were put aside" in said(app)


def test_a_graph_that_cannot_be_used_is_refused_and_says_why(home, opened):
    files = files_of(graph_folders.acm() | {"labels.npy": b"nothing"})
    job = import_jobs.stage(home, [(name, io.BytesIO(content)) for name, content in files.items()])
    app = opened("import", job=job)
    button(app, "Check").click().run()
    assert "labels.npy: is no readable NumPy matrix" in app.error[0].value.replace("\\", "")
    assert imports(home) == datasets(home) == []


def test_a_path_on_this_machine_is_read_where_it_lies(home, opened, tmp_path):
    (tmp_path / "events.csv").write_text(KNOWN)
    app = opened("import")
    app.text_input[0].set_value("events.csv")
    button(app, "Read this path").click().run()
    assert "is not absolute" in app.error[0].value.replace("\\", "")
    app.text_input[0].set_value(str(tmp_path / "events.csv"))
    button(app, "Read this path").click().run()
    assert "events.csv" in said(app)
    button(app, "Import").click().run()
    assert datasets(home) == ["events"]
    assert open_dataset(home, "events").info.source == str(tmp_path / "events.csv")


def test_what_is_clear_is_chosen_and_the_rest_is_asked(home, opened):
    app = opened("import", job=staged(home))
    assert (box(app, "Behaviour").value, box(app, "Time").value) == ("Ereignis", "Wann")
    assert (box(app, "User").value, box(app, "Item").value) == (None, None)
    assert "Choose the column of the user and the item." in said(app)
    assert button(app, "Check").disabled
    assert button(app, "Import").disabled
    mapped(app)
    assert app.segmented_control[0].value == "text"
    assert (box(app, "Target").value, app.multiselect[0].value) == ("buy", ["view", "add_to_cart"])
    assert not button(app, "Import").disabled
    assert app.text_input[0].value == "bestellungen_marz"


def test_another_target_makes_the_old_one_an_ordinary_behavior(home, opened):
    app = mapped(opened("import", job=staged(home)))
    box(app, "Target").select("add_to_cart").run()
    assert app.multiselect[0].value == ["view", "buy"]
    button(app, "Check").click().run()
    assert app.dataframe[0].value["behaviour"].tolist() == ["view", "buy", "add_to_cart"]


def test_a_column_chosen_twice_blocks(home, opened):
    app = mapped(opened("import", job=staged(home)))
    box(app, "Time").select("Besucher").run()
    assert "The column 'Besucher' is chosen twice" in said(app)
    assert button(app, "Check").disabled


def test_another_behavior_column_brings_its_own_behaviors(home, opened):
    text = (
        ODD.replace("Artikel-Nr\n", "Artikel-Nr;Art\n").replace("-1\n", "-1;tip\n").replace("-2\n", "-2;pv\n")
    )
    app = mapped(opened("import", job=staged(home, text.replace("-3\n", "-3;pv\n"))))
    box(app, "Behaviour").select("Art").run()
    assert box(app, "Target").value is None
    assert app.multiselect[0].options == ["tip", "pv"]
    assert "Choose the target" in said(app)


def test_a_check_counts_without_storing_and_knows_when_it_is_outdated(home, opened, worked):
    token = staged(home)
    app = mapped(opened("import", job=token))
    button(app, "Check").click().run()
    assert worked == ["check"]
    assert "Nothing stands in the way" in said(app)
    counts = app.dataframe[0].value
    assert counts["behaviour"].tolist() == ["view", "add_to_cart", "buy"]
    assert counts["test"].tolist() == [0, 0, 5]
    assert datasets(home) == []
    assert labels(app).count("Import") == 1
    app.text_input[0].set_value("other").run()
    assert "Nothing stands in the way" not in said(app)
    assert "changed after the check" in app.info[0].value
    assert labels(app).count("Import") == 1


def test_a_reload_restores_the_form_and_the_check(home, opened):
    token = staged(home)
    app = mapped(opened("import", job=token))
    app.text_input[0].set_value("mine").run()
    button(app, "Check").click().run()
    again = opened("import", job=token)
    assert (box(again, "User").value, again.text_input[0].value) == ("Besucher", "mine")
    assert "Nothing stands in the way" in texts(again)


def test_a_visit_to_another_page_loses_nothing(home, opened):
    token = staged(home)
    app = mapped(opened("import", job=token))
    app.query_params.clear()
    app.switch_page("../pages/home.py").run()
    app.switch_page("../pages/import.py").run()
    assert box(app, "User").value == "Besucher"
    assert app.query_params["job"] in (token, [token])


def test_an_import_tells_what_was_stored_and_leads_on(home, opened):
    token = staged(home, ODD + ODD.partition("\n")[2])
    app = mapped(opened("import", job=token))
    button(app, "Import").click().run()
    assert "is stored" in app.success[0].value
    assert "5 users, 15 items and 45 pairs" in app.success[0].value
    assert "repeated pairs" in said(app)
    assert datasets(home) == ["bestellungen_marz"]
    assert not (home.imports / token / "files").exists()
    assert {"Look at the data", "Train on it", "Import other data"} <= set(labels(app))
    assert "is stored" in opened("import", job=token).success[0].value
    button(app, "Train on it").click().run()
    assert app.title[0].value == "What should be trained, and how?"
    assert app.selectbox(key="pick:dataset").value == "bestellungen_marz"


def test_other_data_can_be_imported_after_that(home, opened):
    app = opened("import", job=staged(home, KNOWN, "known.csv"))
    button(app, "Import").click().run()
    button(app, "Import other data").click().run()
    assert app.file_uploader
    assert imports(home) == []
    assert "job" not in app.query_params


def test_a_taken_name_is_told_while_typing_and_replaced_only_when_asked(home, opened):
    home.dataset("known").mkdir(parents=True)
    app = opened("import", job=staged(home, KNOWN, "known.csv"))
    assert app.text_input[0].value == "known-2"
    app.text_input[0].set_value("known").run()
    assert "There is a data set 'known' already" in said(app)
    assert button(app, "Import").disabled
    app.toggle[0].set_value(True).run()
    button(app, "Import").click().run()
    assert datasets(home) == ["known"]
    assert (home.dataset("known") / "dataset.json").exists()


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "x" * 80 + "y"])
def test_a_name_that_leaves_the_home_is_refused_while_typing(home, opened, name):
    app = opened("import", job=staged(home, KNOWN, "known.csv"))
    app.text_input[0].set_value(name).run()
    assert "Name:" in said(app)
    assert button(app, "Import").disabled
    assert datasets(home) == []


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("cut.parquet", b"PAR1" + bytes(200), "truncated or damaged Parquet"),
        ("latin.csv", "user_id,item_id\nJürgen,1\n".encode("latin-1"), "is no UTF-8 text"),
        ("empty.csv", b"", "is empty"),
        ("one.csv", b"user\n1\n", "one column only"),
    ],
)
def test_a_file_that_nothing_can_be_made_of_is_refused_and_gone(home, opened, name, content, complaint):
    app = opened("import", job=import_jobs.stage(home, [(name, io.BytesIO(content))]))
    assert complaint in app.error[0].value.replace("\\", "")
    assert "What to do:" in app.error[0].value
    assert f"Nothing of {name} was kept" in said(app)
    assert app.file_uploader
    assert imports(home) == datasets(home) == []


@pytest.mark.parametrize("press", ["Check", "Import"])
def test_rows_that_cannot_be_mended_here_are_refused_and_gone(home, opened, press):
    app = opened("import", job=staged(home, KNOWN + ",3\n", "holes.csv"))
    button(app, press).click().run()
    assert "row 22: user id is missing" in app.error[0].value.replace("\\", "")
    assert imports(home) == datasets(home) == []


@pytest.mark.parametrize("press", ["Check", "Import"])
def test_what_a_setting_can_mend_keeps_the_upload_and_says_which(home, opened, press):
    late = KNOWN + KNOWN.partition("\n")[2] * 60 + "abc,3\n"
    app = opened("import", job=staged(home, late, "late.csv"))
    button(app, press).click().run()
    assert "Set 'Ids' to text" in app.error[0].value
    assert datasets(home) == []
    app.segmented_control[0].set_value("text").run()
    button(app, "Import").click().run()
    assert datasets(home) == ["late"]


def test_the_settings_of_a_refused_file_wait_for_the_corrected_one(home, opened):
    broken = ODD.replace("K3;view;3-2", ";view;3-2")
    app = mapped(opened("import", job=staged(home, broken)))
    next(field for field in app.text_input if field.label == "Name of the data set").input("orders").run()
    button(app, "Check").click().run()
    assert "was kept; your settings wait for the corrected file" in said(app)
    app.file_uploader[0].set_value([("corrected.csv", ODD.encode(), "text/csv")]).run()
    assert (box(app, "User").value, box(app, "Item").value) == ("Besucher", "Artikel-Nr")
    assert "orders" in [widget.value for widget in app.text_input]
    button(app, "Start over").click().run()
    app.file_uploader[0].set_value([("corrected.csv", ODD.encode(), "text/csv")]).run()
    assert (box(app, "User").value, box(app, "Item").value) == (None, None)


def test_settings_survive_a_second_refusal_and_never_replace_a_data_set(home, opened):
    app = mapped(opened("import", job=staged(home)))
    name = lambda: next(field for field in app.text_input if field.label == "Name of the data set")  # noqa: E731
    name().input("shop").run()
    button(app, "Import").click().run()
    button(app, "Import other data").click().run()
    broken = ODD.replace("K3;view;3-2", ";view;3-2")
    app.file_uploader[0].set_value([("shop.csv", broken.encode(), "text/csv")]).run()
    mapped(app)
    name().input("shop").run()
    next(toggle for toggle in app.toggle if "Replace" in toggle.label).set_value(True).run()
    button(app, "Check").click().run()
    app.file_uploader[0].set_value([("again.csv", "Jürgen\n".encode("latin-1"), "text/csv")]).run()
    assert app.error
    app.file_uploader[0].set_value([("corrected.csv", ODD.encode(), "text/csv")]).run()
    assert box(app, "User").value == "Besucher"
    assert name().value == "shop"
    assert "Filled in as for the file that was refused before" in said(app)
    assert not next(toggle for toggle in app.toggle if "Replace" in toggle.label).value
    assert "There is a data set 'shop' already" in said(app)


def test_settings_kept_do_not_fit_other_columns(home, opened):
    app = mapped(opened("import", job=staged(home, ODD.replace("K3;view;3-2", ";view;3-2"))))
    button(app, "Check").click().run()
    app.file_uploader[0].set_value([("known.csv", KNOWN.encode(), "text/csv")]).run()
    assert (box(app, "User").value, box(app, "Item").value) == ("user_id", "item_id")


def test_a_target_without_pairs_is_told_with_those_found(home, opened):
    mapped(opened("import", job=staged(home)))
    job = open_job(home, imports(home)[0])
    job.write_draft(job.draft().model_copy(update={"behaviors": ("view", "gift")}))
    app = opened("import", job=job.token)
    button(app, "Import").click().run()
    assert "no rows of the target behavior 'gift'" in said(app)
    assert "found: add_to_cart, buy, view" in said(app)
    assert datasets(home) == []


def test_a_running_import_shows_its_progress_and_can_be_stopped(home, opened, monkeypatch):
    token = staged(home, KNOWN, "known.csv")
    job = open_job(home, token)
    job.write_status(
        ImportStatus(state="running", act="import", fraction=0.25, sentence="reading row 7", started=1.0)
    )
    stopped = []
    monkeypatch.setattr(import_jobs, "stop", lambda home, token: stopped.append(token))
    with locked(job.lock):
        app = opened("import", job=token)
        assert "**Importing**" in said(app)
        (bar,) = app.get("progress")
        assert (bar.proto.value, bar.proto.text) == (25, "Reading row 7")
        assert labels(app) == ["Stop"]
        assert not app.selectbox
        button(app, "Stop").click().run()
    assert stopped == [token]


def test_a_vanished_import_says_so_and_can_be_tried_again(home, opened):
    token = staged(home, KNOWN, "known.csv")
    job = open_job(home, token)
    job.write_status(
        ImportStatus(state="running", act="import", fraction=0.5, sentence="reading row 7", started=1.0)
    )
    job.log.write_text("Killed\n")
    app = opened("import", job=token)
    assert "ended without a word while it was at: reading row 7" in app.error[0].value
    assert "Killed" in said(app)
    button(app, "Import").click().run()
    assert datasets(home) == ["known"]


def test_start_over_removes_what_was_brought(home, opened):
    app = opened("import", job=staged(home))
    button(app, "Start over").click().run()
    assert imports(home) == []
    assert app.file_uploader
    assert not app.warning


@pytest.mark.parametrize("bad", ["0" * 32, "../../etc", "x", "A" * 32, "%00"])
def test_an_import_that_is_not_kept_is_told_and_forgotten(home, opened, bad):
    app = opened("import", job=bad)
    assert "over" in app.warning[0].value or "again" in app.warning[0].value
    assert app.file_uploader
    assert "job" not in app.query_params


def test_a_damaged_record_is_an_error_box(home, opened):
    token = staged(home)
    (home.imports / token / "source.json").write_text(json.dumps({"names": 3}))
    app = opened("import", job=token)
    assert "start the import over" in app.error[0].value.replace("\\", "").lower()


def test_the_way_to_the_import_is_on_the_start_page(home, opened):
    assert any(link.proto.label == "Import your own data" for link in opened("home").get("page_link"))
