"""Plant faults in the engine, the rules and the optimisers, one at a time, and see whether the tests find them.

    python tests/mutants.py [FILE ...] [--sample N] [--seed S] [--jobs J] [--all]

A mutant is the source with one small change: another operator, comparison or constant, a condition turned round, a
statement or a minus sign left out. The tests that concern its file are run, and with --all all of them if these find
nothing. Printed are the mutants that are not found (each is a missing test, or changes nothing), and the share that is.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tinygrad_act"
FILES = ["op.py", "autodiff.py", "tensor.py", "losses.py", "transforms", "ops", "activations", "optim", "nn"]
FIRST = {  # which tests are likely to find a fault of a file
    "op.py": ["test_tensor", "test_architecture", "test_laws"],
    "autodiff.py": ["test_tensor", "test_laws", "test_random_graphs"],
    "tensor.py": ["test_tensor", "test_ops", "test_trust"],
    "losses.py": ["test_losses", "test_laws"],
    "transforms": ["test_transforms", "test_tensor"],
    "ops": ["test_numpy_calls", "test_ops", "test_laws", "test_any_shape"],
    "activations": [
        "test_truth",
        "test_laws",
        "test_kinks",
        "test_activations",
        "test_simplex",
        "test_glu",
        "test_learned",
    ],
    "optim": ["test_optim"],
    "nn": ["test_nn", "test_init", "test_learned_layers"],
}
SECONDS = 900  # beyond which a mutant counts as found: it does not end

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Lt: ast.LtE,
    ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """A file, where in it, what it said and says, and the whole of it as changed."""

    path: Path
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What of a node can be changed: a field, and what it becomes."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        yield "value", not node.value if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.IfExp | ast.If | ast.While):
        yield "test", ast.UnaryOp(ast.Not(), node.test)


def is_said(node: ast.AST) -> bool:
    """Text, types and what is raised are not computed with."""
    return isinstance(node, ast.Raise | ast.Assert | ast.arg | ast.ImportFrom | ast.Import | ast.JoinedStr)


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute something, in functions and in the constants of a module."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST) and not is_said(node):
                yield node
                yield from places(node)


def mutants(path: Path) -> list[Mutant]:
    """All of a file."""
    source = path.read_text(encoding="utf-8")
    tree, found = ast.parse(source), []

    def add(node: ast.AST, before: str) -> None:
        changed = ast.unparse(tree)
        after = ast.unparse(node)
        found.append(Mutant(path, node.lineno, before.split("\n")[0], after.split("\n")[0], changed))

    for node in list(places(tree)):
        if not hasattr(node, "lineno"):
            continue
        for field, value in list(changes(node)):
            before, old = ast.unparse(node), getattr(node, field)
            setattr(node, field, value)
            add(node, before)
            setattr(node, field, old)
    for node in ast.walk(tree):
        for i, child in enumerate(
            getattr(node, "body", []) if isinstance(node, ast.FunctionDef | ast.If | ast.For) else []
        ):
            if isinstance(child, ast.Assign | ast.AugAssign | ast.If | ast.Expr) and not (
                isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            ):
                if isinstance(child, ast.If) and isinstance(child.body[0], ast.Raise):
                    continue  # the same as its condition turned round
                node.body[i] = ast.copy_location(ast.Pass(), child)
                add(node.body[i], ast.unparse(child))
                node.body[i] = child
        if isinstance(node, ast.Return) and isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.USub):
            old = copy.copy(node.value)
            node.value = old.operand
            add(node, f"return {ast.unparse(old)}")
            node.value = old
    return found


def tests_for(path: Path, others: bool) -> list[str]:
    """Those likely to find it, or all."""
    part = path.relative_to(PACKAGE).parts[0]
    first = [f"tests/{name}.py" for name in FIRST[part] if (ROOT / "tests" / f"{name}.py").exists()]
    return (
        ["--ignore=tests/test_notebooks.py", "tests", "tinygrad_act"]
        if others
        else [*first, str(path.relative_to(ROOT))]
    )


def is_found(mutant: Mutant, rounds: tuple[bool, ...] = (False,)) -> bool:
    """Whether a test fails in a copy of the project with the mutant in it."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        for name in ("tinygrad_act", "tests", "examples"):
            shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
            shutil.copy(ROOT / name, there / name)
        (there / mutant.path.relative_to(ROOT)).write_text(mutant.source, encoding="utf-8")
        paths = os.pathsep.join([folder, str(there / "tests")])
        environment = os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        for others in rounds:
            tests = tests_for(mutant.path, others)
            command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
            try:
                done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return True
            if done.returncode != 0:
                return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="of the package, as ops/reduce.py")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants to try, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true", help="run all tests where those of the file find nothing")
    options = parser.parse_args()
    rounds = (False, True) if options.all else (False,)
    chosen = [PACKAGE / name for name in options.files or FILES if (PACKAGE / name).exists()]
    paths = [path for place in chosen for path in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
    every = [mutant for path in paths for mutant in mutants(path)]
    some = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    print(f"{len(some)} of {len(every)} mutants of {len(paths)} files", flush=True)
    count = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for mutant, found in zip(some, pool.map(lambda mutant: is_found(mutant, rounds), some), strict=True):
            count += found
            if not found:
                print(mutant, flush=True)
    print(f"{count} of {len(some)} found: {100 * count / len(some):.1f} %")


if __name__ == "__main__":
    main()
