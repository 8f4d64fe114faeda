"""Mutants of a source file: the same with one small change, as a tree and as the code of the functions it changes."""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Lt: ast.LtE,
    ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """The change number `number` of a file, in which line, and in words."""

    path: Path
    number: int
    line: int
    said: str


def changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What of a node can be changed: a field, and what it becomes."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        large = abs(node.value) >= 4  # how large is large may well be moved by 1
        yield (
            "value",
            not node.value if isinstance(node.value, bool) else type(node.value)(0) if large else node.value + 1,
        )
    elif is_negative(node):
        yield "op", ast.UAdd()  # rather than a -2 for a -1, which is no other to reshape()
    elif isinstance(node, ast.IfExp | ast.If | ast.While):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.USub):
        yield "value", node.value.operand
    for i, child in enumerate(node.body if isinstance(node, ast.FunctionDef | ast.If | ast.For) else []):
        raises = isinstance(child, ast.If) and isinstance(child.body[0], ast.Raise)  # then turned round is the same
        text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(child, ast.Assign | ast.AugAssign | ast.If | ast.Expr) and not raises and not text:
            yield "body", [*node.body[:i], ast.copy_location(ast.Pass(), child), *node.body[i + 1 :]]


def places(tree: ast.AST, within: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The nodes that compute something, each with its statement; text, types and what is raised do not."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            said = ast.Raise | ast.Assert | ast.arg | ast.ImportFrom | ast.Import | ast.JoinedStr
            asserts = isinstance(node, ast.keyword) and node.arg == "strict"  # what holds in all code that is right
            if isinstance(node, ast.AST) and not isinstance(node, said) and not asserts:
                statement = node if within is None or isinstance(node, ast.stmt) else within
                yield node, statement
                if not is_negative(node):
                    yield from places(node, statement)


def is_negative(node: Any) -> bool:
    """Whether it is a number with a minus."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)


def edits(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Make one change after another in the tree, each undone before the next: its line, and what it is."""
    for node, statement in list(places(tree)):
        for field, value in list(changes(node)):
            before, old = ast.unparse(statement), getattr(node, field)
            setattr(node, field, value)
            line = next((a for a, b in zip(old, value, strict=True) if a is not b), node) if field == "body" else node
            yield line.lineno, difference(before, ast.unparse(statement))
            setattr(node, field, old)


def difference(before: str, after: str, around: int = 40) -> str:
    """`x = a [+ -> -] b`: where two texts differ, with some of what is around it."""
    most = min(len(before), len(after))
    start = next((i for i in range(most) if before[i] != after[i]), most)
    end = next((i for i in range(most - start) if before[-1 - i] != after[-1 - i]), most - start)
    old, new = (text[start : len(text) - end] for text in (before, after))
    left, right = before[max(start - around, 0) : start], before[len(before) - end :][:around]
    return " ".join(f"{left}[{old} -> {new}]{right}".split())


def mutants(path: Path) -> list[Mutant]:
    """All of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [Mutant(path, i, *edit) for i, edit in enumerate(edits(tree))]


def changed(mutant: Mutant) -> ast.Module:
    """The file with the change in it."""
    tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
    next(itertools.islice(edits(tree), mutant.number, None))
    return ast.fix_missing_locations(tree)


def own(code: types.CodeType) -> tuple[Any, ...]:
    """What a piece of code does, but for the functions in it."""
    return code.co_code, code.co_names, code.co_varnames, [repr(c) for c in code.co_consts if not is_code(c)]


def is_code(x: Any) -> bool:
    return isinstance(x, types.CodeType)


def parts(code: types.CodeType) -> list[types.CodeType]:
    return [c for c in code.co_consts if is_code(c)]


def exchanged(mutant: Mutant) -> dict[types.CodeType, types.CodeType] | None:
    """Old code by new, for the functions that are changed; None if code that runs at import is."""
    name = str(mutant.path)
    pairs = [(compile(mutant.path.read_text("utf-8"), name, "exec"), compile(changed(mutant), name, "exec"))]
    found = {}
    for old, new in pairs:  # which grows as we go
        pairs += zip(parts(old), parts(new), strict=False)
        if old == new:
            continue
        is_function = old.co_flags & 1  # and not the body of a class or a module
        if not is_function and own(old) != own(new):
            return None
        if is_function:
            found[old] = new
    return found
