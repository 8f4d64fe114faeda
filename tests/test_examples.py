"""The examples: they run, say what they promise, and learn what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "maxout"]  # the document's


def run(example: str, *options: str, cwd: Path) -> str:
    """What an example prints into a pipe: no error, no warning, nothing on stderr, and no progress bar."""
    command = [sys.executable, "-W", "error", "-X", "utf8", str(EXAMPLES / example), *options]
    done = subprocess.run(command, cwd=cwd, capture_output=True)  # bytes: text=True would turn a bar's \r into \n
    assert (done.returncode, done.stderr.decode()) == (0, "")
    printed = done.stdout.decode().replace("\r\n", "\n")
    assert "\r" not in printed
    assert "\x1b" not in printed
    return printed


def accuracies(printed: str) -> list[float]:
    return [float(percent) for percent in re.findall(r"^epoch +\d+ +loss \d+\.\d{4} +.* ([\d.]+)%$", printed, re.M)]


@pytest.mark.parametrize(
    ("options", "epochs", "least"),
    [*((["--activation", a], 40, 97) for a in ACTIVATIONS), (["--dtype", "float64", "--epochs", "2"], 2, 50)],
    ids=[*ACTIVATIONS, "float64"],
)
def test_train_digits_learns_and_reports_each_epoch_the_confusions_and_the_graph(
    options: list[str], epochs: int, least: float, tmp_path: Path
) -> None:
    printed = run("train_digits.py", *options, cwd=tmp_path)
    assert printed.startswith("Sequential(\n")
    *reached, last = accuracies(printed)
    assert len(reached) == epochs - 1
    assert all(50 < accuracy <= 100 for accuracy in reached)
    assert least <= last <= 100
    rows = re.findall(r"^   (\d)  ((?: +[\d·]+){10})$", printed, re.M)
    assert [digit for digit, _ in rows] == list("0123456789")
    confusion = [[int(count) for count in row.replace("·", "0").split()] for _, row in rows]
    assert sum(map(sum, confusion)) == 599
    assert round(100 * sum(confusion[i][i] for i in range(10)) / 599, 1) == last
    graph = (tmp_path / "digits.svg").read_text(encoding="utf-8")
    assert graph.startswith("<svg")
    assert "cross_entropy" in graph
    assert graph.count("∂") >= 5
    assert ("float64" in graph) == ("float64" in options)


def test_train_digits_compiled_prints_what_it_prints_eager(tmp_path: Path) -> None:
    eager, compiled = (run("train_digits.py", "--epochs", "2", *o, cwd=tmp_path) for o in ([], ["--compile"]))
    assert eager == compiled


def test_train_digits_prints_the_same_from_the_same_seed(tmp_path: Path) -> None:
    same, again, other = (run("train_digits.py", "--epochs", "2", "--seed", s, cwd=tmp_path) for s in "334")
    assert same == again
    assert same != other


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("stepp", "stepp does not fit in here: no activation is called 'stepp'. Did you mean 'step'?"),
        ("glu", "glu does not fit in here: affine: shapes (2,64) and (128,10) not aligned"),
        ("crelu", "crelu does not fit in here: affine: shapes (2,256) and (128,10) not aligned"),
        ("logsumexp", "logsumexp does not fit in here: affine: shapes (2,) and (128,10) not aligned"),
        ("gumbel_softmax", "gumbel_softmax does not fit in here: a layer is a function of one array"),
    ],
)
def test_train_digits_refuses_what_does_not_fit(name: str, told: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "train_digits.py"), "--activation", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"error: {told}" in done.stderr


@pytest.mark.parametrize("name", ["swish", "Leaky-ReLU", "Maxout", "softmax", "prelu"])
def test_train_digits_takes_any_name_of_an_activation_that_fits(name: str, tmp_path: Path) -> None:
    assert len(accuracies(run("train_digits.py", "--epochs", "1", "--activation", name, cwd=tmp_path))) == 1


def test_moons_tells_all_moons_apart_and_draws_the_plane(tmp_path: Path) -> None:
    reports = re.findall(r"^step +(\d+) .* accuracy (\d+)%$", run("moons.py", "--steps", "20", cwd=tmp_path), re.M)
    assert [step for step, _ in reports] == ["10", "20"]
    printed = run("moons.py", cwd=tmp_path)
    assert re.findall(r"accuracy (\d+)%$", printed, re.M)[-1] == "100"
    picture = printed.split("in it:\n\n")[1].removesuffix("\n").split("\n")
    assert [len(line) for line in picture] == [64] * 22
    assert set("".join(picture)) == set(" ░xo")


def test_xor_maxout_learns_xor(tmp_path: Path) -> None:
    short = run("xor_maxout.py", "--steps", "20", cwd=tmp_path)
    assert re.findall(r"^step +(\d+) ", short, re.M) == ["20"]
    rows = re.findall(r"^ (\d)  (\d) +(\d) +(\d\.\d{4})$", run("xor_maxout.py", cwd=tmp_path), re.M)
    assert [(int(a), int(b)) for a, b, _, _ in rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for a, b, label, p in rows:
        assert int(a) ^ int(b) == int(label) == round(float(p))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_a_page_and_says_how_to_run_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert f"python examples/{path.name}" in text.splitlines()[0]


@pytest.mark.parametrize(
    "options",
    [["train_digits.py", "--epochs"], ["moons.py", "--steps"], ["xor_maxout.py", "--steps"], ["own_op.py", "--steps"]],
    ids=" ".join,
)
def test_no_steps_at_all_is_no_crash(options: list[str], tmp_path: Path) -> None:
    run(*options, "0", cwd=tmp_path)


def test_deep_signal_shows_where_a_signal_survives(tmp_path: Path) -> None:
    printed = run("deep_signal.py", "--activations", "tanh", "relu", cwd=tmp_path)
    rows = re.findall(r"^(\w*) +(default|auto\(model(?:, x)?\)) +((?: +[\d.e-]+)+)$", printed, re.M)
    initials = ["default", "auto(model)", "auto(model, x)"]
    assert [initial for _, initial, _ in rows] == 6 * initials
    signal = [[float(number) for number in numbers.split()] for _, _, numbers in rows[:6]]
    assert [len(numbers) for numbers in signal] == [5] * 6
    assert signal[0][-1] < 0.2
    assert signal[3][-1] < 1e-3
    assert all(0.5 < number < 2 for row in (1, 2, 4, 5) for number in signal[row])
    assert signal[2] == signal[5] == [1] * 5


def test_own_op_obeys_finds_its_fault_and_learns(tmp_path: Path) -> None:
    printed = run("own_op.py", cwd=tmp_path)
    assert re.match(r"bump obeys all \d+ laws\.\n", printed)
    assert "Most likely at fault: wrong_bump, which is wrong by itself too" in printed
    assert "analytic / numeric = -1\n" in printed
    assert "bump(affine)" in printed
    rows = re.findall(r"^ (\d)  (\d)    (\d\.\d{3})$", printed, re.M)
    assert [round(float(p)) for _, _, p in rows] == [int(a) ^ int(b) for a, b, _ in rows] == [0, 1, 1, 0]
