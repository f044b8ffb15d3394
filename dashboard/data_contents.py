"""What a data set holds of its items beside interactions, as tables: their features."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.data_profile import share_of

Told = Mapping[str, Any]


def feature_table(told: Told) -> pd.DataFrame:
    """Per modality: rows, dimensions, numbers that are not finite, rows of zeros and their share, mean norm."""
    rows = [
        {"modality": name, **checks, "zero_share": share_of(checks["zero_rows"], checks["rows"])}
        for name, checks in told.get("modality_checks", {}).items()
    ]
    columns = ["modality", "rows", "dims", "not_finite", "zero_rows", "zero_share", "mean_norm"]
    return pd.DataFrame(rows, columns=columns)
