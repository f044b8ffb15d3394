"""Generated MMRec folders: mostly sound, with now and then something wrong."""

import io
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.core.data.importers.generated import ODD_IDS, PLAIN_ASKED, Source, mangled, one_of, usually

ITEMS = 7


@st.composite
def features(draw: st.DrawFn) -> bytes:
    """A feature file of 7 items; now and then of another shape, another type, or with numbers that are not finite."""
    shape = draw(usually(st.just((ITEMS, 3)), one_of((5, 3), (ITEMS,), (ITEMS, 0), (ITEMS, 2, 2)), 15))
    kind = draw(usually(one_of("f4", "f8", "f2", "u1", ">i4"), one_of("O", "U3", "c8", "f4,f4"), 15))
    values = np.arange(np.prod(shape)).reshape(shape) % 11 * draw(usually(st.just(1), one_of(0, 10**9)))
    with np.errstate(over="ignore"):
        matrix = np.zeros(shape, kind) if kind in ("O", "U3", "f4,f4") else values.astype(kind)
    if matrix.dtype.kind == "f" and matrix.size:
        matrix.flat[-1] = draw(usually(st.just(2.0), one_of(np.nan, np.inf, 6e4), 15))
    file = io.BytesIO()
    np.save(file, np.asfortranarray(matrix) if draw(st.booleans()) else matrix, allow_pickle=True)
    return file.getvalue()


@st.composite
def mmrec_sources(draw: st.DrawFn) -> Source:
    """A folder with interactions and up to three feature files, some of them damaged or badly named."""
    columns: dict[str, Any] = {
        "userID": usually(st.integers(0, 4).map(str), ODD_IDS, 90),
        "itemID": usually(st.integers(0, ITEMS - 1).map(str), st.one_of(ODD_IDS, st.just(str(ITEMS))), 90),
        "x_label": usually(one_of("0", "0", "1", "2"), one_of("", "3", "0.0", "x"), 90),
        "timestamp": usually(one_of("1430000000", "1430000009"), one_of("", "soon", "-1"), 90),
    }
    names = ["userID", "itemID", *draw(st.lists(one_of("x_label", "timestamp", "rating"), unique=True))]
    names = draw(usually(st.just(names), st.just(names[1:]), 15))
    row = st.tuples(*(columns.get(name, st.just("1")) for name in names)).map("\t".join)
    lines = draw(st.lists(row, min_size=1, max_size=20))
    text = "\n".join(["\t".join(names), *lines]).encode()
    modalities = draw(st.lists(one_of("text", "image", "a_1"), min_size=1, unique=True))
    modalities = draw(usually(st.just(modalities), one_of([], ["Text"], [""]), 15))
    files = {"n.inter": draw(mangled(st.just(text)))}
    files |= {f"{name}_feat.npy": draw(mangled(features())) for name in modalities}
    if draw(st.booleans()):
        files["items.tsv"] = draw(
            mangled(one_of(b"itemID\ttitle\n0\tA\n9\tB\n", b"x\n0\n", b"a\tname\n\t\n"))
        )
    asked = draw(st.fixed_dictionaries(PLAIN_ASKED)) | {
        "features": draw(one_of("as-given", "unit", "standard"))
    }
    return Source(files, alone=False, layout=draw(one_of("auto", "mmrec")), asked=asked)
