"""Paired tests of values that are handed over, many tests at once.

Run as a process of its own it answers a page, as core/runs/paired.py does: a server does without scipy.stats.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from typing import Any

import numpy as np

from core.errors import DataError
from core.evaluation.statistics import Floats, paired_test


def question(pairs: Sequence[tuple[Floats, Floats]]) -> bytes:
    """`pairs` of equally long values, each to be tested first minus second, in the form that `answer` reads."""
    written = BytesIO()
    arrays = {
        f"{side}_{place}": values for place, pair in enumerate(pairs) for side, values in enumerate(pair)
    }
    np.savez(written, count=np.array(len(pairs)), **arrays)  # type: ignore[arg-type]
    return written.getvalue()


def answer(asked: bytes) -> dict[str, Any]:
    """The tests, in the order asked; None for a pair of fewer than two values, which leaves nothing to test."""
    with np.load(BytesIO(asked), allow_pickle=False) as arrays:
        pairs = [(arrays[f"0_{place}"], arrays[f"1_{place}"]) for place in range(int(arrays["count"]))]
    try:
        tests = [asdict(paired_test(one, other)) if len(one) > 1 else None for one, other in pairs]
    except DataError as error:
        return {"refused": str(error)}
    return {"tests": tests}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))
