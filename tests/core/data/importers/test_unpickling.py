"""The restricted unpickler: what honest pickles give, and that hostile ones do nothing but fail."""

import pickle
import pickletools
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.importers import pickle_scan
from core.data.importers.limits import Limits
from core.data.importers.stand_ins import stand_ins
from core.data.importers.unpickling import SparseParts, loaded, read_pickle
from core.errors import DataError

PATH = Path("trn_buy")
DENSE = np.array([[0, 2, 0, 7, 0], [0, 0, 0, 0, 0], [3, 0, 0, 0, 5]])
MATRIX = scipy.sparse.csr_matrix(DENSE)
KINDS = (
    "csr_matrix",
    "csc_matrix",
    "coo_matrix",
    "lil_matrix",
    "csr_array",
    "csc_array",
    "coo_array",
    "lil_array",
)

# Whatever the interpreter reports while a pickle is loaded ends up here; a hook cannot be removed, so it is switched.
_seen: list[str] | None = None


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    own = event == "object.__getattr__" and arguments[1] == "f_code"  # hypothesis tracing what failed
    if _seen is not None and not own:
        _seen.append(event)


sys.addaudithook(_hook)


def watched(content: bytes) -> tuple[object, DataError | None, list[str]]:
    """What loading gave or refused, and every event the interpreter reported meanwhile."""
    global _seen
    _seen = []
    try:
        value, error = loaded(content, PATH), None
    except DataError as caught:
        value, error = None, caught
    finally:
        events, _seen = _seen, None
    return value, error, events


def dense(parts: SparseParts) -> np.ndarray:
    """The matrix, entry by entry."""
    stored = parts.parts
    out = np.zeros(stored["shape"])
    if parts.kind == "coo":
        pairs = zip(stored["row"], stored["col"], stored["data"], strict=True)
    else:
        major = [m for m, n in enumerate(np.diff(stored["indptr"])) for _ in range(n)]
        pairs = zip(major, stored["indices"], stored["data"], strict=True)
    for first, second, value in pairs:
        out[(second, first) if parts.kind == "csc" else (first, second)] += value
    return out


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_])
def test_matrices_of_every_kind_and_protocol_come_back(kind: str, protocol: int, dtype: type):
    matrix = getattr(scipy.sparse, kind)(MATRIX.astype(dtype))
    value, error, events = watched(pickle.dumps(matrix, protocol))
    assert error is None
    assert events == []
    assert isinstance(value, SparseParts)
    np.testing.assert_array_equal(dense(value), DENSE.astype(dtype))


def test_paths_of_old_scipy_and_numpy_are_known():
    content = pickle.dumps(MATRIX, 2)
    for new, old in ((b"scipy.sparse._csr", b"scipy.sparse.csr"), (b"numpy._core", b"numpy.core")):
        assert new in content
        content = content.replace(new, old)
    value = loaded(content, PATH)
    np.testing.assert_array_equal(dense(value), DENSE)


def test_big_endian_numbers_keep_their_values():
    matrix = MATRIX.astype(np.int64)
    matrix.data = matrix.data.astype(">i8")
    np.testing.assert_array_equal(dense(loaded(pickle.dumps(matrix, 4), PATH)), DENSE)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([3, None, 70_000], [3, None, 70_000]),
        (np.array([3, None, 7], dtype=object), [3, None, 7]),
        (np.array([3, 4, 5]), [3, 4, 5]),
        ([np.int64(3), np.float32(2.5), None], [3, 2.5, None]),
        ([], []),
    ],
)
def test_lists_and_arrays_come_back(stored, expected, protocol: int):
    value, error, events = watched(pickle.dumps(stored, protocol))
    assert error is None
    assert events == []
    assert list(value) == expected


# Every name on the list answers with a stand-in of ours: nothing of numpy, scipy or codecs is within reach.


def test_names_lead_to_stand_ins_only():
    known = stand_ins(100)
    for name, thing in known.items():
        home = thing.__module__ if isinstance(thing, type) else type(thing).__module__
        assert home == "core.data.importers.stand_ins", name
    assert {name for _, name in known} == {
        *("ndarray", "dtype", "_reconstruct", "scalar", "_frombuffer", "encode"),
        *KINDS,
    }


class Asks:
    """Pickles as a call of any named thing with any arguments."""

    def __init__(self, called, *arguments):
        self.call = (called, arguments)

    def __reduce__(self):
        return self.call


def asks(module: str, name: str, *arguments: object, protocol: int = 4) -> bytes:
    """A pickle that calls module.name(*arguments), written by hand: no import is needed for the name."""
    tail = pickle.dumps(arguments, protocol=2)[2:-1]  # without PROTO and STOP
    if protocol < 4:
        return b"\x80\x02c" + f"{module}\n{name}\n".encode() + tail + b"R."
    named = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
    return b"\x80\x04" + named + b"\x93" + tail + b"R."


HOSTILE = [
    ("os", "system", "touch owned"),
    ("posix", "system", "touch owned"),
    ("nt", "system", "dir"),
    ("builtins", "eval", "1"),
    ("builtins", "exec", "1"),
    ("builtins", "__import__", "antigravity"),
    ("builtins", "getattr", 1, "real"),
    ("builtins", "open", "owned", "w"),
    ("builtins", "bytearray", 1 << 40),
    ("builtins", "object"),
    ("builtins", "list"),
    ("__builtin__", "eval", "1"),
    ("subprocess", "Popen", "id"),
    ("socket", "socket"),
    ("webbrowser", "open", "http://localhost"),
    ("importlib", "import_module", "antigravity"),
    ("runpy", "run_path", "x"),
    ("pickle", "loads", b"."),
    ("functools", "partial", 1),
    ("operator", "attrgetter", "__class__"),
    ("collections", "OrderedDict"),
    ("copyreg", "_reconstructor", 1),
    ("copy_reg", "_reconstructor", 1),
    ("copyreg", "__newobj__"),
    ("types", "FunctionType"),
    ("codecs", "encode", "x", "zlib"),
    ("_codecs", "decode", b"x", "zip"),
    ("_codecs", "lookup", "zip"),
    ("numpy", "load", "x.npy"),
    ("numpy", "save", "owned", 1),
    ("numpy", "fromfile", "/etc/passwd"),
    ("numpy", "memmap", "owned"),
    ("numpy", "zeros", 1 << 40),
    ("numpy", "frombuffer", b""),
    ("numpy", "array", 1),
    ("numpy", "matrix", 1),
    ("numpy", "ndarray.tofile", 1),
    ("numpy", "core.multiarray._reconstruct", 1),
    ("numpy", "f2py.crackfortran.myeval", "1"),
    ("numpy.f2py", "compile", "x"),
    ("numpy.f2py.crackfortran", "myeval", "__import__('os').system('touch owned')"),
    ("numpy.f2py.diagnose", "run"),
    ("numpy.testing._private.utils", "runstring", "x", {}),
    ("numpy.testing", "measure", "1"),
    ("numpy.distutils.exec_command", "exec_command", "id"),
    ("numpy.core", "multiarray._reconstruct", 1),
    ("numpy.core.multiarray", "_reconstruct.__call__", 1),
    ("numpy.core.multiarray", "__loader__", 1),
    ("numpy.core.multiarray", "fromfile", "x"),
    ("numpy._core.multiarray", "frombuffer", b""),
    ("numpy._core.numeric", "fromfile", "x"),
    ("numpy._core._internal", "_dtype_from_pep3118", "x"),
    ("numpy.dtype", "", 1),
    ("numpy ", "dtype", "f8"),
    ("Numpy", "dtype", "f8"),
    ("scipy.sparse", "csr_matrix", 1),
    ("scipy.sparse", "load_npz", "x"),
    ("scipy.sparse._csr", "csr_matrix.__init__", 1),
    ("scipy.sparse._csr", "np.load", "x"),
    ("scipy.sparse._csr", "csr_matrix.toarray.__globals__", 1),
    ("scipy.sparse._csr.csr_matrix", "tocsr", 1),
    ("scipy.sparse._dok", "dok_matrix", 1),
    ("core.data.importers.stand_ins", "stand_ins", 1),
    ("", "", 1),
]


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("call", HOSTILE, ids=lambda call: ".".join(call[:2]))
def test_names_off_the_list_are_refused_unseen(call, protocol: int, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    value, error, events = watched(asks(*call, protocol=protocol))
    assert value is None
    assert "asks for" in str(error) or "is no readable pickle" in str(error)
    assert str(error).startswith("trn_buy: ")
    assert events == []
    assert set(sys.modules) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_hostile_objects_hidden_inside_honest_ones_are_refused(protocol: int, tmp_path):
    call = Asks(eval, f"open({str(tmp_path / 'owned')!r}, 'w')")
    hidden = scipy.sparse.csr_matrix(MATRIX)
    hidden.extra = call
    members = np.array([1, call], dtype=object)
    for stored in (hidden, members, [1, call], OrderedDict(a=1), {"a": call}):
        _, error, events = watched(pickle.dumps(stored, protocol))
        assert "asks for" in str(error)
        assert events == []
    assert list(tmp_path.iterdir()) == []


# Admitted names with arguments that they never have.

ADMITTED = [
    *(
        ("_codecs", "encode", *given)
        for given in ((), ("x",), ("x", "zip"), ("x", "rot13"), (b"x", "latin1"), (1, 2))
    ),
    ("_codecs", "encode", "\u20ac", "latin1"),
    ("_codecs", "encode", "x", "latin1", "strict"),
    ("numpy", "dtype"),
    ("numpy", "dtype", "f8"),
    ("numpy", "dtype", [("a", "O")]),
    ("numpy", "ndarray", (1 << 40,)),
    ("numpy.core.multiarray", "_reconstruct", 1, (0,), b"b"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar", 1, b"12345678"),
    ("numpy._core.numeric", "_frombuffer", b"", "f8", (1 << 40,), "C"),
    ("numpy._core.numeric", "_frombuffer"),
    ("scipy.sparse._csr", "csr_matrix"),
    ("scipy.sparse._csr", "csr_matrix", (3, 5)),
    ("scipy.sparse.coo", "coo_matrix", [1]),
]


@pytest.mark.parametrize("call", ADMITTED, ids=str)
def test_admitted_names_called_oddly_are_refused(call):
    value, error, events = watched(asks(*call))
    assert value is None
    assert error is not None
    assert events == []


BY_HAND = {
    "an extension code": b"\x80\x02\x82\x01.",
    "an extension code of two bytes": b"\x80\x02\x83\x01\x00.",
    "an extension code of four bytes": b"\x80\x02\x84\x01\x00\x00\x00.",
    "a persistent id": b"\x80\x02P1\n.",
    "a binary persistent id": b"\x80\x02K\x01Q.",
    "INST": b"(S'id'\nios\nsystem\n.",
    "INST of an admitted class": b"(iscipy.sparse.csr\ncsr_matrix\n.",
    "OBJ": b"\x80\x02(cos\nsystem\n\x8c\x02ido.",
    "NEWOBJ of another class": b"\x80\x02cbuiltins\ndict\n)\x81.",
    "NEWOBJ of a function": b"\x80\x02cnumpy\ndtype\n)\x81.",
    "NEWOBJ with arguments": b"\x80\x02cscipy.sparse.csr\ncsr_matrix\nK\x03\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04cscipy.sparse.csr\ncsr_matrix\n)}\x92.",
    "STACK_GLOBAL of numbers": b"\x80\x04K\x01K\x02\x93.",
    "STACK_GLOBAL of an empty stack": b"\x80\x04\x93.",
    "an out-of-band buffer": b"\x80\x05\x97.",
    "a read-only buffer": b"\x80\x05C\x00\x98.",
    "attributes set on a function": b"\x80\x02cnumpy\ndtype\n}\x8c\x08__call__K\x01sb.",
    "slots set on a function": b"\x80\x02cnumpy\ndtype\nN}\x8c\x08__call__K\x01s\x86b.",
    "attributes set on a class": b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n}\x8c\x04kindK\x01sb.",
    "slots set on a class": b"\x80\x02cscipy.sparse.csr\ncsr_matrix\nN}\x8c\x04kindK\x01s\x86b.",
    "a name alone": b"\x80\x02cnumpy\nndarray\n.",
    "a class alone": b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n.",
    "a matrix without state": b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81.",
    "a set": b"\x80\x04\x8f(K\x01\x90.",
    "a frozen set": b"\x80\x04(K\x01\x91.",
    "a duplicate": b"\x80\x02]2\x86.",
    "an unknown protocol": b"\x80\xff].",
    "text with a bad escape": b"S'\\q'\n.",
    "an int of many digits": b"I" + b"9" * 5000 + b"\n.",
    "a memo position beyond all memory": b"\x80\x02]r\xff\xff\xff\x7f.",
    "a memo position in words": b"]p99999999999\n.",
    "a negative memo position": b"]p-1\n.",
    "a memo position never set": b"\x80\x02h\x07.",
    "bytes of a terabyte": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
    "a byte array of a terabyte": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"x.",
    "text of a terabyte": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x.",
    "a number of two gigabytes": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"x.",
    "a frame of a terabyte": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"].",
    "a frame beyond any size": b"\x80\x04\x95" + b"\xff" * 8 + b"].",
    "no STOP": b"\x80\x02]",
    "STOP alone": b".",
    "nothing": b"",
    "text": b"10 7\n10 8\n",
    "an unbalanced mark": b"\x80\x02K\x01e.",
    "a tuple": b"\x80\x02).",
    "None": b"\x80\x02N.",
}


@pytest.mark.parametrize("name", BY_HAND)
def test_other_instructions_are_refused(name: str):
    value, error, events = watched(BY_HAND[name])
    assert value is None
    assert str(error).startswith("trn_buy: ")
    assert events == []
    assert "\n" not in str(error)
    assert len(str(error)) < 400


def test_stand_ins_are_as_before_after_an_attack():
    for name in BY_HAND:
        watched(BY_HAND[name])
    np.testing.assert_array_equal(dense(loaded(pickle.dumps(MATRIX, 4), PATH)), DENSE)


def test_an_instruction_across_the_end_of_a_frame_is_refused():
    """The unpickler drops what is left of a frame there, and would read other instructions than the scan did."""
    inner = b"\x8c\x04abcd0]."
    for length in range(1, len(inner)):
        content = b"\x80\x04\x95" + struct.pack("<Q", length) + inner.replace(b"0", b"")
        value, error, _ = watched(content)
        assert error is not None or value == []
    straddling = b"\x80\x04\x95" + struct.pack("<Q", 3) + b"]\x8c\x04abcda."
    assert "crosses the end of its frame" in str(watched(straddling)[1])
    nested = b"\x80\x04\x95" + struct.pack("<Q", 12) + b"]]\x95" + struct.pack("<Q", 1) + b"a."
    assert "lies within another" in str(watched(nested)[1])


# Bounds on memory, time and depth.


def test_deep_nesting_neither_crashes_nor_hangs():
    depth = 300_000
    for content in (
        b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b".",  # lists in lists
        b"\x80\x02)" + b"\x85" * depth + b".",  # tuples in tuples
        b"\x80\x02}" + b")" + b"\x85" * depth + b"Ns.",  # a deep tuple hashed as a key would end the process
        b"\x80\x02" + b"(" * depth + b".",
        b"\x80\x02" + b"}" * depth + b".",
    ):
        _, error, events = watched(content)
        assert events == []
        assert error is not None or content[2:3] == b"]"


def test_dictionaries_stay_small_so_that_colliding_keys_cannot_cost_time():
    modulus = (1 << 61) - 1  # every multiple of it hashes to 0
    keys = {modulus * n: None for n in range(101)}
    assert "larger dictionaries" in str(watched(pickle.dumps(keys, 4))[1])
    separate = b"\x80\x02}" + b"".join(b"M" + struct.pack("<H", n) + b"Ns" for n in range(101)) + b"."
    assert "larger dictionaries" in str(watched(separate)[1])


def test_the_number_of_steps_is_bounded(monkeypatch):
    monkeypatch.setattr(pickle_scan, "_MOST_STEPS", 1000)
    assert isinstance(watched(pickle.dumps(list(range(900)), 4))[0], list)
    assert "takes more than 1000 steps" in str(watched(pickle.dumps(list(range(1000)), 4))[1])


def array_state(
    shape: object, data: object, code: str = "f8", about: object = (3, "<", None, None, None, -1, -1, 0)
) -> bytes:
    """A pickled array of the given shape, data and dtype, honest or not."""

    def put(value: object) -> bytes:
        return pickle.dumps(value, 3)[2:-1]

    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    dtype = b"cnumpy\ndtype\n" + put(code) + b"\x89\x88\x87R" + put(about) + b"b"
    return b"\x80\x03" + made + b"(K\x01" + put(shape) + dtype + b"\x89" + put(data) + b"tb."


def test_arrays_written_by_hand_are_read():
    np.testing.assert_array_equal(loaded(array_state((2,), struct.pack("<dd", 1.5, -2)), PATH), [1.5, -2])


@pytest.mark.parametrize(
    "content",
    [
        array_state((1 << 40,), b"12345678"),
        array_state((1 << 62,), b""),
        array_state((1 << 70,), b"12345678"),
        array_state((2, 1 << 62), b""),
        array_state((-1,), b""),
        array_state((1.0,), b"12345678"),
        array_state((True,), b"12345678"),
        array_state([1], b"12345678"),
        array_state(None, b""),
        array_state((), b"12345678"),
        array_state((1,), b"1234567"),
        array_state((1,), "12345678"),
        array_state((1,), None),
        array_state((1,), [1.0]),
        array_state((1,), b"12345678", "O8"),
        array_state((2,), [1], "O8"),
        array_state((1,), b"12345678", "V8"),
        array_state((1,), b"12345678", "M8"),
        array_state((1,), b"12345678", "c8"),
        array_state((1,), b"12345678", "U2"),
        array_state((1,), b"12345678", "f8,f8"),
        array_state((1,), b"12345678", "(1000000,1000000)f8"),
        array_state((1,), b"12345678", "{'names':['a'],'formats':['O']}"),
        array_state((1,), b"12345678", "f8", (3, "|", None, ("a",), {"a": 1}, 8, 1, 27)),
        array_state((1,), b"12345678", "f8", (3, "<", ("f8", (9,)), None, None, -1, -1, 0)),
        array_state((1,), b"12345678", "f8", None),
        array_state((1,), b"12345678", "f8", 7),
    ],
)
def test_arrays_that_do_not_hold_what_they_promise_are_refused(content: bytes):
    value, error, events = watched(content)
    assert value is None
    assert error is not None
    assert events == []


def test_bytes_cannot_be_multiplied_by_encoding_them_again_and_again():
    text = (
        b"\x80\x02]c_codecs\nencode\nq\x000".replace(b"0", b"")
        + b"X"
        + struct.pack("<I", 4000)
        + b"x" * 4000
        + b"q\x01"
    )
    latin = b"X\x06\x00\x00\x00latin1q\x02\x86Rh\x00h\x01h\x02\x86R"
    content = text + latin + b"h\x00h\x01h\x02\x86R\x87."
    assert "repeats its bytes" in str(watched(content)[1])


def test_rows_of_a_lil_matrix_cannot_be_one_shared_list():
    row = list(range(1000))
    rows = np.empty(2000, dtype=object)
    rows[:] = [row] * 2000
    matrix = scipy.sparse.lil_matrix((2000, 1000))
    matrix.rows = matrix.data = rows
    assert "repeats its rows" in str(watched(pickle.dumps(matrix, 4))[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": None}, "lacks the lists 'rows'"),
        ({"data": np.array([[1.0], [], [2.0]], dtype=object)}, "differ in number"),
        ({"rows": np.array([1, 2, 3], dtype=object)}, "something other than lists"),
        ({"rows": np.array([["1", 3], [], [0, 4]], dtype=object)}, "no whole numbers"),
        ({"rows": np.array([[-1, 3], [], [0, 4]], dtype=object)}, "no whole numbers"),
        ({"data": np.array([[np.nan, 3.0], [], [0.0, 4.0]], dtype=object)}, "no finite numbers"),
        ({"data": np.array([["x", 3.0], [], [0.0, 4.0]], dtype=object)}, "no finite numbers"),
        ({"_shape": None}, "lacks its shape"),
        ({"_shape": (3.0, 5)}, "lacks its shape"),
        ({"_shape": (-3, 5)}, "lacks its shape"),
    ],
)
def test_lil_matrices_are_checked(changes, message):
    matrix = scipy.sparse.lil_matrix(MATRIX)
    vars(matrix).update(changes)
    assert message in str(watched(pickle.dumps(matrix, 4))[1])


@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
def test_matrices_that_lack_an_array_are_refused(name: str):
    for value in (None, 7, [1, 2], np.array([1, None], dtype=object)):
        matrix = scipy.sparse.csr_matrix(MATRIX)
        vars(matrix)[name] = value
        assert f"lacks the array {name!r}" in str(watched(pickle.dumps(matrix, 4))[1])


def test_other_attributes_of_a_matrix_are_dropped():
    matrix = scipy.sparse.csr_matrix(MATRIX)
    vars(matrix).update({"maxprint": [1, 2], "__class__": "x", "toarray": 7})
    value = loaded(pickle.dumps(matrix, 4), PATH)
    assert set(value.parts) == {"shape", "data", "indices", "indptr"}


# Files.


def test_files_are_read_within_the_limit(tmp_path):
    path = tmp_path / "trn_buy"
    path.write_bytes(pickle.dumps(MATRIX, 4))
    np.testing.assert_array_equal(dense(read_pickle(path)), DENSE)
    with pytest.raises(DataError, match=r"trn_buy: holds .*more than the 100 bytes allowed"):
        read_pickle(path, Limits(100))


def test_missing_files_and_folders_are_told(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match=str(path)):
            read_pickle(path)


def test_truncated_pickles_are_refused_at_every_length():
    for protocol in (2, 4, 5):
        whole = pickle.dumps(MATRIX, protocol)
        for length in range(len(whole)):
            value, error, events = watched(whole[:length])
            assert value is None, length
            assert events == []
            assert "copy or export it again" in str(error)


# Whatever bytes are changed, the outcome is a value or a DataError, and the interpreter reports no event at all.

SEEDS = [
    *(
        pickle.dumps(getattr(scipy.sparse, kind)(MATRIX), protocol)
        for kind in KINDS[:4]
        for protocol in (2, 4, 5)
    ),
    *(
        pickle.dumps(value, p)
        for p in (0, 2, 4)
        for value in ([3, None, 7], np.array([3, None], dtype=object))
    ),
    asks("os", "system", "id"),
    asks("numpy.f2py.crackfortran", "myeval", "1", protocol=2),
]
OPCODES = [opcode.code.encode("latin1") for opcode in pickletools.opcodes]
edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "opcode", "copy"]),
        st.integers(0, 2000),
        st.binary(min_size=1, max_size=9),
        st.sampled_from(OPCODES),
    ),
    min_size=1,
    max_size=6,
)


def edited(content: bytes, changes: list[tuple[str, int, bytes, bytes]]) -> bytes:
    for kind, where, piece, opcode in changes:
        at = where % (len(content) + 1)
        if kind == "flip":
            content = content[:at] + piece[:1] + content[at + 1 :]
        elif kind == "delete":
            content = content[:at] + content[at + len(piece) :]
        elif kind == "copy":
            content = content[:at] + content[at // 2 : at // 2 + 5 * len(piece)] + content[at:]
        else:
            content = content[:at] + (piece if kind == "insert" else opcode) + content[at:]
    return content


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(SEEDS), edits)
def test_changed_pickles_load_or_are_refused_and_do_nothing_else(content: bytes, changes):
    value, error, events = watched(edited(content, changes))
    assert events == []
    assert error is not None or isinstance(value, SparseParts | np.ndarray | list)
    if error is not None:
        assert str(error).startswith("trn_buy: ")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from([*OPCODES, b"\x00", b"\x01", b"1\n", b"os\nsystem\n", b"numpy\ndtype\n"]), max_size=40
    )
)
def test_random_programs_load_or_are_refused_and_do_nothing_else(program):
    value, error, events = watched(b"".join(program) + b".")
    assert events == []
    assert error is not None or isinstance(value, SparseParts | np.ndarray | list)


def test_the_watch_sees_what_plain_pickle_does(tmp_path, monkeypatch):
    """Otherwise the tests above could not fail."""
    global _seen
    monkeypatch.chdir(tmp_path)
    _seen = []
    try:
        pickle.loads(asks("os", "system", "true"))
    finally:
        events, _seen = _seen, None
    assert {"pickle.find_class", "os.system"} <= set(events)
