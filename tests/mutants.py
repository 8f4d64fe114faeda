"""Plant faults in the engine, the rules and the optimisers, one at a time, and see whether the tests find them.

    python tests/mutants.py [FILE ...] [--sample N] [--seed S] [--jobs J] [--calls FILE] [--seconds S]

A mutant is the package with one small change: another operator, comparison or constant, a condition turned round, a
statement or a minus sign left out. First all tests run once, and it is noted which functions each calls: these are the
tests that a mutant of a function has to pass, the quickest of each kind first, up to so many seconds of them. Printed
are the mutants that no test finds, and the share that is found. Those in `survivors.txt` are not tried: it says of each
why it changes nothing that could be told.

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
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import types
from pathlib import Path
from typing import Any, NoReturn

import pytest
from mutations import Mutant, changed, exchanged, mutants

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tinygrad_act"
FILES = ["op.py", "autodiff.py", "tensor.py", "losses.py", "transforms", "ops", "activations", "optim", "nn"]
SURVIVORS = Path(__file__).with_name("survivors.txt")
ELSEWHERE = ["notebooks", "examples", "browser", "page", "architecture"]  # tests of text, and of other processes
SUITE = ["tests", "tinygrad_act", "README.md", "CONTRIBUTING.md", *(f"--ignore=tests/test_{n}.py" for n in ELSEWHERE)]


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


def said_of(mutant: Mutant) -> str:
    """As in the list of survivors, from where a line above may come and go."""
    return f"{mutant.path.relative_to(PACKAGE)}: {mutant.said}"


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
            order = there / "order.json"
            order.write_text(json.dumps(dict.fromkeys(self.calls) | {test: i for i, test in enumerate(tests)}))
            environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{there / 'tests'}", "ORDER": str(order)}
            files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "mutants", *files]
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True)
            return done.returncode in (1, 2, 3)  # a test fails, the tests cannot be read, pytest itself fails

    def try_one(self, mutant: Mutant) -> NoReturn:
        """End this process, with 1 if the mutant is found; what does not end, or takes all memory, is found too."""
        seconds = int(30 + 1.5 * self.options.seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        found = True
        try:
            found = self.is_found(mutant)
        finally:
            os._exit(found)

    def try_all(self) -> None:
        """Try the mutants, some at a time, and print what is not found."""
        options = self.options
        chosen = [PACKAGE / name for name in options.files or FILES]
        paths = [path for place in chosen for path in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
        every = [mutant for path in paths for mutant in mutants(path)]
        some = random.Random(options.seed).sample(every, min(options.sample or len(every), len(every)))
        print(f"{len(some)} of {len(every)} mutants of {len(paths)} files", flush=True)
        known = set(SURVIVORS.read_text("utf-8").splitlines())
        excused = sum(said_of(mutant) in known for mutant in some)
        some = [mutant for mutant in some if said_of(mutant) not in known]
        running: dict[int, Mutant] = {}
        left, tried, count = iter(some), 0, 0
        while True:
            while len(running) < options.jobs and (mutant := next(left, None)):
                if pid := os.fork():
                    running[pid] = mutant
                else:
                    self.try_one(mutant)
            if not running:
                break
            pid, status = os.wait()
            mutant = running.pop(pid)
            count += status != 0
            tried += 1
            if tried % 20 == 0:
                print(f"{tried} tried, {count} found", file=sys.stderr)
            if status == 0:
                print(f"line {mutant.line} of {said_of(mutant)}", flush=True)
        print(
            f"{count} of {len(some)} found: {100 * count / max(1, len(some)):.1f} %; {excused} more are known survivors"
        )


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """As a plugin in a new process: run the tests in the order that is asked for, those of other names first."""
    if "ORDER" in os.environ:
        order = json.loads(Path(os.environ["ORDER"]).read_text())
        items[:] = [item for item in items if order.get(item.nodeid, -1) is not None]
        items.sort(key=lambda item: order.get(item.nodeid, -1))


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
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
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
