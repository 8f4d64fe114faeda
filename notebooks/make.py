"""Turn the notebooks' sources into executed notebooks: python notebooks/make.py [--to FOLDER] [NAME.py ...]

A source is a program in cells: `# %%` starts one of code, `# %% [markdown]` one of text, in comments. The notebook has
the same cells, what they print and show, and nothing that differs from run to run.
Those committed were made with the extras `png`, `plot` and `page`, and with TensorFlow, whose results are in them.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from collections import Counter
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def cells(source: str) -> list[tuple[str, str]]:
    """The cells of a source, each as its kind, "code" or "markdown", and its text."""
    found = []
    for part in re.split(r"^# %%", source, flags=re.M)[1:]:
        mark, _, text = part.partition("\n")
        if mark.strip() == "[markdown]":
            found.append(("markdown", re.sub(r"^# ?", "", text, flags=re.M).strip()))
        else:
            found.append(("code", text.strip()))
    return found


def notebook(source: str) -> nbformat.NotebookNode:
    """The source as a notebook that has not run. A cell's id is of its text, so it stays when others come and go."""
    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    seen: Counter[str] = Counter()
    for kind, text in cells(source):
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        made.cells.append(make(text, id=hashlib.sha256(f"{text}{seen[text]}".encode()).hexdigest()[:12]))
        seen[text] += 1
    return made


def run(made: nbformat.NotebookNode) -> None:
    """Run every cell, in an empty folder; an error in one is raised."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(made, timeout=120, record_timing=False, resources={"metadata": {"path": folder}}).execute()
    made.metadata["language_info"] = {"name": "python"}  # without the version that ran it


def main() -> None:
    """Make the notebooks named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE, help="the folder to write to")
    parser.add_argument("sources", type=Path, nargs="*", help="all but this program, by default")
    options = parser.parse_args()
    for path in options.sources or sorted(set(HERE.glob("*.py")) - {HERE / "make.py"}):
        made = notebook(path.read_text(encoding="utf-8"))
        run(made)
        target = options.to / f"{path.stem}.ipynb"
        nbformat.write(made, target)
        print(f"{target.name}: {len(made.cells)} cells, {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
