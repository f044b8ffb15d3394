"""The first step of an import: files dropped in the browser, or a path on the server's machine."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data import import_jobs
from core.data.import_folder import ImportJob, ImportRequest, open_job
from core.data.importers.archives import is_litter
from core.errors import DataError, RelScopeError
from core.home import Home
from dashboard import importing, selection, states
from dashboard.glossary import meaning
from dashboard.layout import row

_BROUGHT = {"files": "Files", "folder": "A folder"}
_REFUSED, _ROUND, _SETTINGS = "import-refused", "import-round", "import-settings"


def current_job(home: Home) -> ImportJob | None:
    """The import that the address names. One that is not kept any more is told, and forgotten."""
    token = selection.asked("job")
    if token is None:
        return None
    try:
        job = open_job(home, token)
        selection.mirror("job", token)  # over the menu the address comes without it
        return job
    except RelScopeError as error:
        st.warning(states.plain(_upper_first(f"{error}.")), icon=":material/search_off:")
        selection.mirror("job", None)
        return None


def bring(home: Home) -> None:
    """Ask for data and open an import with them; what was refused before is told above."""
    _refused()
    import_jobs.purge(home)
    left, right = row("split", "bring", (7, 4))
    with left:
        uploads = _uploads()
        st.caption(
            f"Up to {import_jobs.MAX_UPLOAD // 2**20} MB. A file marked red is larger: pack it as `.gz`, save it as "
            "Parquet, or import it on the command line with `--max-size`. Several files may come in one `.zip`."
        )
        layout = st.selectbox(
            "Layout",
            list(importing.LAYOUTS),
            format_func=importing.LAYOUTS.__getitem__,
            key="import-layout",
            help=meaning("layout"),
            width=320,
        )
        names = [upload.name for upload in uploads]
        pressed = bool(uploads) and not importing.is_table(names)
        if pressed:
            listed = states.plain(", ".join(names[:8]) + (", ..." if len(names) > 8 else ""))
            st.caption(f"{len(names)} files: {listed}. Drop more, or go on.")
            pressed = not st.button("Read these files", type="primary", icon=":material/arrow_forward:")
        if uploads and not pressed:
            with states.guarded():
                files = [(upload.name, upload) for upload in uploads]
                _open(import_jobs.stage(home, files, layout, importing.common_folder(names)))
                _let_go(uploads)
                st.rerun()
    with right, st.form("import-path", border=True, enter_to_submit=True):
        path = st.text_input(
            "Or a path on this machine", placeholder="/data/events.csv", help=meaning("server path")
        )
        if st.form_submit_button("Read this path", icon=":material/folder_open:"):
            with states.guarded():
                _open(import_jobs.stage_path(home, path, layout))
                st.rerun()
    _what_can_be_read()


def refuse(home: Home, job: ImportJob, error: RelScopeError) -> None:
    """Give up an import whose data cannot be used: remove it, and say why where the next data are asked for.

    What the form said is kept for the corrected file.
    """
    names = job.origin().names
    if (draft := job.draft()) is not None:
        st.session_state[_SETTINGS] = draft.model_copy(update={"replace": False})
    said = importing.in_form(job.plain(str(error)))
    import_jobs.discard(home, job.token)
    st.session_state[_REFUSED] = (", ".join(names[:3]) + (", ..." if len(names) > 3 else ""), said)
    start_over()


def settings_kept() -> ImportRequest | None:
    """What the form said of data that were refused, until an import succeeds or is given up; never to replace others."""
    kept: ImportRequest | None = st.session_state.get(_SETTINGS)
    return kept


def forget_settings() -> None:
    """The next form starts empty."""
    st.session_state.pop(_SETTINGS, None)


def start_over() -> None:
    """Forget the import that the address names, and ask for data anew."""
    selection.mirror("job", None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.rerun(scope="app")


def _open(token: str) -> None:
    st.session_state.pop(_REFUSED, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    selection.mirror("job", token)


def _refused() -> None:
    if _REFUSED in st.session_state:
        names, said = st.session_state[_REFUSED]
        states.failed(DataError(said))
        but = "; your settings wait for the corrected file" if settings_kept() else ""
        st.caption(f"Nothing of {states.plain(names)} was kept{but}.")


def _uploads() -> list[UploadedFile]:
    """The files that were dropped or chosen so far, one by one or as a folder, without what programs hide in folders."""
    kind = st.segmented_control(
        "Bring",
        list(_BROUGHT),
        default="files",
        required=True,
        format_func=_BROUGHT.__getitem__,
        key="import-kind",
        label_visibility="collapsed",
    )
    key, about = f"upload:{st.session_state.get(_ROUND, 0)}", meaning("upload")
    if kind == "folder":
        found = st.file_uploader(
            "Choose a folder", accept_multiple_files="directory", key=f"{key}:folder", help=about
        )
        return [upload for upload in found if not is_litter(upload.name)]
    return st.file_uploader(
        "Drop files here, or choose them", accept_multiple_files=True, key=key, help=about
    )


def _let_go(uploads: Sequence[UploadedFile]) -> None:
    """The files are on disk now: the server need not hold them until the tab closes."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for upload in uploads:
            context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def _what_can_be_read() -> None:
    st.markdown("**What can be read**")
    for layout, files in importing.FILES.items():
        st.markdown(f"- **{_upper_first(importing.LAYOUTS[layout])}**: {files}")


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
