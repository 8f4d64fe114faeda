"""Plant faults in the engine, the rules and the optimisers, one at a time, and see whether the tests find them.

    python tests/mutants.py [FILE ...] [--sample N] [--seed S] [--jobs J] [--calls FILE] [--seconds S]

A mutant is the package with one small change: another operator, comparison or constant, a condition turned round, a
statement or a minus sign left out. First all tests run once, and it is noted which functions each calls: these are the
tests that a mutant of a function has to pass, the quickest of each kind first, up to so many seconds of them. Printed
are the mutants that no test finds, and the share that is found. Those in `survivors.txt` are known, each with why it
changes nothing that could be told.

A process that has imported and collected everything is forked for each mutant, and the code of the changed function
exchanged in the copy. What runs at import (constants, defaults, decorators) is tried in a new process instead.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import itertools
import json
import os
import pkgutil
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tinygrad_act"
FILES = ["op.py", "autodiff.py", "tensor.py", "losses.py", "transforms", "ops", "activations", "optim", "nn"]
SURVIVORS = Path(__file__).with_name("survivors.txt")
ELSEWHERE = ["notebooks", "examples", "browser", "page", "architecture"]  # tests of text, and of other processes
SUITE = ["tests", "tinygrad_act", "README.md", "CONTRIBUTING.md", *(f"--ignore=tests/test_{n}.py" for n in ELSEWHERE)]

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Lt: ast.LtE,
    ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """The change number `number` of a file: in which line, what it says there, and what it says then."""

    path: Path
    number: int
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE)}:{self.line}: {self.key}"

    @property
    def key(self) -> str:
        return f"{self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What of a node can be changed: a field, and what it becomes."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        yield "value", not node.value if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.IfExp | ast.If | ast.While):
        yield "test", ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.USub):
        yield "value", node.value.operand
    for i, child in enumerate(node.body if isinstance(node, ast.FunctionDef | ast.If | ast.For) else []):
        raises = isinstance(child, ast.If) and isinstance(child.body[0], ast.Raise)  # then turned round is the same
        text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(child, ast.Assign | ast.AugAssign | ast.If | ast.Expr) and not raises and not text:
            yield "body", [*node.body[:i], ast.copy_location(ast.Pass(), child), *node.body[i + 1 :]]


def places(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute something; text, types and what is raised do not."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            said = ast.Raise | ast.Assert | ast.arg | ast.ImportFrom | ast.Import | ast.JoinedStr
            if isinstance(node, ast.AST) and not isinstance(node, said):
                yield node
                yield from places(node)


def edits(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Make one change after another in the tree, each undone before the next: its line, and what it says there."""
    for node in [node for node in places(tree) if hasattr(node, "lineno")]:
        for field, value in list(changes(node)):
            old, shown = getattr(node, field), node
            line = node.lineno
            if field == "body":
                shown = next(a for a, b in zip(old, value, strict=True) if a is not b)
                line = shown.lineno
            before = ast.unparse(shown).partition("\n")[0]
            setattr(node, field, value)
            yield line, before, "pass" if field == "body" else ast.unparse(shown).partition("\n")[0]
            setattr(node, field, old)


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


class Called:
    """Which functions of the package run: a trace function."""

    def __init__(self) -> None:
        self.functions: set[tuple[str, int, str]] = set()

    def __call__(self, frame: types.FrameType, event: str, arg: Any) -> None:
        if frame.f_code.co_filename.startswith(str(PACKAGE)):
            self.functions.add(key_of(frame.f_code))

    def __enter__(self) -> Called:
        self.functions = set()
        threading.settrace(self)
        sys.settrace(self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]


def key_of(code: types.CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


class Session:
    """A pytest plugin that, in place of running the tests, notes what they call, and then tries mutants with them."""

    def __init__(self, options: argparse.Namespace, at_import: set[tuple[str, int, str]]) -> None:
        self.options, self.at_import = options, at_import
        self.failed = False

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed = self.failed or report.failed

    def run(self, item: Any, nextitem: Any) -> bool:
        """Whether a test passes."""
        self.failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return not self.failed

    def pytest_runtestloop(self, session: Any) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        calls = self.options.calls
        if not calls.exists():
            if os.fork() == 0:
                self.note_calls(calls)
                os._exit(0)
            os.wait()
        known = json.loads(calls.read_text())
        self.calls = {test: (seconds, {tuple(f) for f in called}) for test, (seconds, called) in known.items()}
        self.try_all()
        return True

    def note_calls(self, path: Path) -> None:
        """Run every test, and write down how long it takes and what it calls, if it passes."""
        found, items = {}, list(self.items.values())
        for item, after in zip(items, [*items[1:], None], strict=True):
            start = time.perf_counter()
            with Called() as called:
                passed = self.run(item, after)
            if passed:
                found[item.nodeid] = time.perf_counter() - start, sorted(called.functions)
            else:
                print(f"not used, as it fails while its calls are noted: {item.nodeid}", flush=True)
        path.write_text(json.dumps(found))

    def tests_of(self, mutant: Mutant, codes: dict[Any, Any] | None) -> list[str]:
        """Those that call the function, or any of the file: the quickest case of each test first, then the next."""
        keys = {key_of(old) for old in codes or ()}
        groups: dict[str, list[tuple[float, str]]] = {}
        for test, (seconds, called) in self.calls.items():
            if called & keys if codes is not None else any(file == str(mutant.path) for file, _, _ in called):
                groups.setdefault(test.partition("[")[0], []).append((seconds, test))
        ranked = [(i, *pair) for group in groups.values() for i, pair in enumerate(sorted(group))]
        ends = itertools.accumulate(seconds for _, seconds, _ in sorted(ranked))
        return [test for (_, _, test), end in zip(sorted(ranked), ends, strict=True) if end < self.options.seconds]

    def is_found(self, mutant: Mutant) -> bool:
        """Whether a test fails, in this process, which is a copy."""
        codes = exchanged(mutant)
        tests = self.tests_of(mutant, codes)
        if codes is None or any(key_of(old) in self.at_import for old in codes):
            return self.is_found_anew(mutant, self.tests_of(mutant, None))
        for f in gc.get_objects():
            if type(f) is types.FunctionType and f.__code__ in codes:
                f.__code__ = codes[f.__code__]
        items = [self.items[test] for test in tests if test in self.items]
        return not all(itertools.starmap(self.run, zip(items, [*items[1:], None], strict=True)))

    def is_found_anew(self, mutant: Mutant, tests: list[str]) -> bool:
        """Whether a test fails in a copy of the project with the mutant in it."""
        with tempfile.TemporaryDirectory() as folder:
            there = Path(folder)
            for name in ("tinygrad_act", "tests", "examples"):
                shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
            for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
                shutil.copy(ROOT / name, there / name)
            (there / mutant.path.relative_to(ROOT)).write_text(ast.unparse(changed(mutant)), encoding="utf-8")
            others = there / "others.json"
            others.write_text(json.dumps(sorted(set(self.calls) - set(tests))))
            environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{there / 'tests'}", "OTHERS": str(others)}
            files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "mutants", *files]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
            return done.returncode in (1, 2, 3)  # a test fails, the tests cannot be read, pytest itself fails

    def try_all(self) -> None:
        """Try the mutants, some at a time, and print what is not found."""
        options = self.options
        chosen = [PACKAGE / name for name in options.files or FILES]
        paths = [path for place in chosen for path in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
        every = [mutant for path in paths for mutant in mutants(path)]
        some = random.Random(options.seed).sample(every, min(options.sample or len(every), len(every)))
        print(f"{len(some)} of {len(every)} mutants of {len(paths)} files", flush=True)
        known = {line.strip() for line in SURVIVORS.read_text("utf-8").splitlines()} if SURVIVORS.exists() else set()
        running: dict[int, tuple[Mutant, float]] = {}
        left, count, excused = iter(some), 0, 0
        while True:
            while len(running) < options.jobs and (mutant := next(left, None)):
                if pid := os.fork():
                    running[pid] = mutant, time.monotonic() + 20 * options.seconds
                else:
                    os.setsid()
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                    found = True
                    try:
                        found = self.is_found(mutant)
                    finally:
                        os._exit(found)
            if not running:
                break
            time.sleep(0.01)
            for pid, (mutant, deadline) in list(running.items()):
                if time.monotonic() > deadline:  # it does not end, and counts as found
                    os.killpg(pid, signal.SIGKILL)
                ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended:
                    continue
                del running[pid]
                count += status != 0
                is_known = f"{mutant.path.relative_to(PACKAGE)}: {mutant.key}" in known
                excused += status == 0 and is_known
                if status == 0 and not is_known:
                    print(mutant, flush=True)
        print(f"{count} of {len(some)} found: {100 * count / len(some):.1f} %; {excused} more are known survivors")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """As a plugin in a new process: leave out the tests that are known not to concern the mutant."""
    if "OTHERS" in os.environ:
        others = set(json.loads(Path(os.environ["OTHERS"]).read_text()))
        items[:] = [item for item in items if item.nodeid not in others]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="of the package, as ops/reduce.py or optim")
    parser.add_argument("--sample", type=int, help="how many mutants to try, drawn at random; all, if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument(
        "--calls", type=Path, default=Path(tempfile.mkdtemp()) / "calls.json", help="kept from run to run"
    )
    parser.add_argument("--seconds", type=float, default=60, help="of tests that a mutant has to pass")
    options = parser.parse_args()
    os.chdir(ROOT)
    with Called() as called:
        package = importlib.import_module("tinygrad_act")
        for module in pkgutil.walk_packages(package.__path__, "tinygrad_act."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        at_import = set(called.functions)
    flags = ["-q", "-s", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist"]
    raise SystemExit(pytest.main([*flags, *SUITE], plugins=[Session(options, at_import)]))


if __name__ == "__main__":
    main()
