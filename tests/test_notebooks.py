"""The notebooks: their sources run, and what is committed is what the sources make."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SOURCES = sorted(set(NOTEBOOKS.glob("*.py")) - {NOTEBOOKS / "make.py"})
EACH = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def committed(source: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(source.with_suffix(".ipynb").read_text(encoding="utf-8"))
    return found


def outputs(source: Path) -> list[dict[str, Any]]:
    return [output for cell in committed(source)["cells"] for output in cell.get("outputs", [])]


def cells_of(source: Path) -> list[tuple[str, str]]:
    """Each cell of a source as its kind and text: read here by its lines, in another way than make.py does."""
    found: list[tuple[str, list[str]]] = []
    for line in source.read_text(encoding="utf-8").splitlines():
        if line in ("# %%", "# %% [markdown]"):
            found.append(("markdown" if line.endswith("]") else "code", []))
        else:
            found[-1][1].append(line.removeprefix("#").removeprefix(" ") if found[-1][0] == "markdown" else line)
    return [(kind, "\n".join(lines).strip()) for kind, lines in found]


@EACH
def test_a_source_runs_without_ipython_display_or_tensorflow(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    for absent in ("IPython", "tensorflow"):
        monkeypatch.setitem(sys.modules, absent, None)
    with np.printoptions():  # so that those a notebook sets are forgotten
        runpy.run_path(str(source))
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "TensorFlow is not installed" in printed.out or "tensorflow" not in source.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == []


@EACH
def test_a_notebook_has_the_cells_of_its_source(source: Path) -> None:
    cells = committed(source)["cells"]
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in cells] == cells_of(source)
    assert len({cell["id"] for cell in cells}) == len(cells)


@EACH
def test_a_notebook_is_committed_with_its_results(source: Path) -> None:
    ran = [cell["execution_count"] for cell in committed(source)["cells"] if cell["cell_type"] == "code"]
    assert ran == list(range(1, len(ran) + 1))
    shown = outputs(source)
    assert {output["output_type"] for output in shown} == {"execute_result", "stream"}
    assert {output["name"] for output in shown if output["output_type"] == "stream"} == {"stdout"}
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds
    assert "image/svg+xml" not in kinds  # which GitHub does not always show


@EACH
def test_a_notebook_is_small_and_tells_nothing_of_the_machine(source: Path) -> None:
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert re.findall(r"(?<![\w.])/(?:work|tmp|opt|root|home|usr|Users)\b\S*|0x[0-9a-f]{6,}", text) == []
    assert "iopub" not in text  # the times at which cells ran


@EACH
def test_what_a_notebook_links_to_is_there(source: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", source.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (NOTEBOOKS / link).exists()] == []


@EACH
def test_a_notebook_runs(source: Path, tmp_path: Path) -> None:
    for needed in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(needed, reason=f"{needed} is not installed: pip install 'tinygrad_act[notebooks]'")
    command = [sys.executable, str(NOTEBOOKS / "make.py"), "--to", str(tmp_path), str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    made, kept = committed(tmp_path / source.name)["cells"], committed(source)["cells"]
    assert [(cell["id"], cell["source"]) for cell in made] == [(cell["id"], cell["source"]) for cell in kept]


@pytest.mark.skipif(not find_spec("tensorflow"), reason="TensorFlow is not installed")
def test_tensorflow_has_the_gradients_of_the_document(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "utf8", str(NOTEBOOKS / "01_activation_functions.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    differences = re.findall(r"greatest difference (\S+)$", done.stdout, re.M)
    assert len(differences) == 3
    assert max(map(float, differences)) < 1e-15
