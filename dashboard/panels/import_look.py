"""The first look at what was brought, kept while nothing changes."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.data.import_folder import ImportJob
from dashboard import readers

if TYPE_CHECKING:
    from core.data.importers.preview import Preview


def look(job: ImportJob, mapping: dict[str, str] | None = None, target_type: str | None = None) -> "Preview":
    """The head of what was brought, under a mapping or a target type if one is told.

    Raises DataError if nothing can be made of it.
    """
    source = job.source()
    roles = tuple(sorted((mapping or {}).items()))
    return _look(str(source), job.origin().layout, roles, target_type, readers.stamp(source))


@st.cache_resource(max_entries=16, show_spinner="Reading the first rows")
def _look(
    source: str,
    layout: str,
    roles: tuple[tuple[str, str], ...],
    target_type: str | None,
    written: readers.Stamp,
) -> "Preview":
    from core.data.importers.columns import ColumnMap
    from core.data.importers.preview import preview

    columns = ColumnMap(**dict(roles)) if roles else None
    return preview(Path(source), layout, columns=columns, target_type=target_type)
