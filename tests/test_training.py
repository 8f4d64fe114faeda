"""The progress bar."""

from __future__ import annotations

import io
import sys
import types

import pytest

from tinygrad_act.training import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_yields_everything_and_is_silent_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert list(progress(range(5), "training")) == list(range(5))
    assert list(progress([], "training")) == []
    assert list(progress((c for c in "abc"), "training")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_shows_its_label_and_unit_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress(range(5), "training", unit="lap")) == list(range(5))
    shown = sys.stderr.getvalue()
    assert "training: 100%" in shown
    assert "5/5" in shown
    assert "lap" in shown


def test_lines_written_go_to_stdout_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    epochs = progress(range(2), "training")
    for epoch in epochs:
        epochs.write(f"epoch {epoch}")
    assert capsys.readouterr() == ("epoch 0\nepoch 1\n", "")


def test_progress_names_the_extra_without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_act\[examples\]'"):
        progress(range(5), "training")


@pytest.mark.parametrize(("widgets", "form"), [(True, "tqdm.notebook"), (False, "tqdm")])
def test_progress_in_a_notebook_is_a_widget_where_there_are_widgets(
    widgets: bool, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    stand_in = types.SimpleNamespace(tqdm=lambda iterable, **how: made.append(how["disable"]) or iterable)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setattr("tinygrad_act.training.find_spec", lambda name: object() if widgets else None)
    monkeypatch.setattr("tinygrad_act.training.import_module", lambda name: {form: stand_in}[name])
    assert list(progress(range(3), "training")) == [0, 1, 2]
    assert made == [False]
