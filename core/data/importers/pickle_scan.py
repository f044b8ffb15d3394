"""Following a pickle without running it: which instructions it holds and what they could allocate."""

import codecs
import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.data.importers.stand_ins import Refused

# Found now, so that reading a file imports nothing.
codecs.lookup("raw-unicode-escape")

_MOST_STEPS = 5_000_000
_FRAME_HEADER = 9
# Entries of dictionaries, and tuples beside them: hashing is where collisions and nesting would hurt.
_MOST_ENTRIES = 100
_PLAIN = """
PROTO FRAME STOP MARK MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET
NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS
"""
_ADMITTED = frozenset([*_PLAIN.split(), "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "NEWOBJ"])


def scan(content: bytes) -> None:
    """Follow the stream without running it. Raises Refused or ValueError.

    Afterwards every length it gives lies within the content, every memo position within the number of steps, and the
    unpickler reads the same instructions: none crosses the end of its frame.
    """
    depth = steps = tuples = entries = 0
    marks: list[int] = []
    for name, argument in _instructions(content):
        steps += 1
        if name not in _ADMITTED:
            raise Refused(
                f"holds the instruction {name}, which no pickled matrix needs; check that it is the right file, "
                "or export the data again with Python 3"
            )
        if steps > _MOST_STEPS:
            raise Refused(
                f"takes more than {_MOST_STEPS} steps to read; store it as a csr_matrix or an array of numbers"
            )
        if name == "MARK":
            marks.append(depth)
            continue
        above = depth
        if _EFFECTS[name].pops_mark:
            depth = marks.pop()
            above -= depth
        tuples += name.startswith("TUPLE")
        entries += {"SETITEM": 1, "SETITEMS": above // 2, "DICT": above // 2}.get(name, 0)
        if entries > _MOST_ENTRIES or (entries and tuples > _MOST_ENTRIES):
            raise Refused("holds larger dictionaries than any matrix; store it as a csr_matrix")
        if name.endswith("PUT") and not 0 <= argument <= steps:
            raise ValueError(f"memo position {argument} out of order")
        depth += _EFFECTS[name].change
        if depth < (marks[-1] if marks else 0):
            raise ValueError("the stack runs empty")


def _instructions(content: bytes) -> Iterator[tuple[str, Any]]:
    """(name, argument) of every instruction. Raises ValueError where frames do not follow one another whole."""
    previous = frame_end = 0
    for opcode, argument, position in pickletools.genops(content):
        place = position or 0
        if previous < frame_end < place:
            raise ValueError("an instruction crosses the end of its frame")
        if opcode.name == "FRAME":
            if place < frame_end:
                raise ValueError("a frame lies within another")
            frame_end = place + _FRAME_HEADER + int(argument or 0)
            if frame_end > len(content):
                raise ValueError("a frame is longer than the file")
        previous = place
        yield opcode.name, argument


@dataclass(frozen=True)
class _Effect:
    """What an instruction does to the stack, apart from what lies above a mark."""

    pops_mark: bool
    change: int


def _effect(opcode: pickletools.OpcodeInfo) -> _Effect:
    before = list(opcode.stack_before)
    pops_mark = pickletools.markobject in before
    popped = before.index(pickletools.markobject) if pops_mark else len(before)
    return _Effect(pops_mark, len(opcode.stack_after) - popped)


_EFFECTS = {opcode.name: _effect(opcode) for opcode in pickletools.opcodes}
