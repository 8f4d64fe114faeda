"""ta.compile: the compiled step does what the step does, and says so where it cannot."""

from __future__ import annotations

import collections
import dataclasses
import gc
import inspect
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import SAMPLES, Sample

import tinygrad_act as ta
from tinygrad_act import Tensor, nn, optim
from tinygrad_act.compiler import TraceError
from tinygrad_act.compiler.notation import plain_text
from tinygrad_act.compiler.tracer import Tracer

both_styles = pytest.mark.parametrize("style", ["fast", "teaching"])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def equal(a: Any, b: Any) -> None:
    """The same numbers to the bit, in the same dtype."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def test_an_op_that_cannot_be_traced_is_told_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(Path(ta.__file__).parent / "activations" / "branching.py")
    namespace: dict[str, Any] = {}
    exec(compile("def forward(self, z):\n    return z if z.max() > 0 else -z", file, "exec"), namespace)
    monkeypatch.setattr(type(ta.relu), "forward", namespace["forward"])
    with pytest.raises(TraceError, match=r"branching\.py, line 2(.|\n)*test_compiler\.py, line"):
        ta.compile(lambda x: ta.relu(Tensor(x)))(np.ones(3))


def digits_like(dtype: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((32, 8)).astype(dtype), rng.integers(0, 4, 32)


def network(activation: Any = ta.relu, dtype: Any = np.float32) -> nn.Sequential:
    rng = np.random.default_rng(1)
    return nn.Sequential(nn.Linear(8, 16, rng=rng), activation, nn.Linear(16, 4, rng=rng)).astype(dtype)


def training(make: Callable[[list[Tensor]], optim.Optimizer], schedule: bool = False) -> Callable[[Any], list[Any]]:
    """200 steps, with what becomes of the weights."""

    def run(wrap: Any) -> list[Any]:
        model = network()
        optimizer = make(model.parameters())
        x, labels = digits_like()

        def step(x: np.ndarray, labels: np.ndarray) -> Tensor:
            loss = ta.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        do = wrap(step)
        losses = []
        for i in range(200):
            if schedule:
                optimizer.lr = 0.1 / (1 + i)
            losses.append(float(do(x, labels)))
        return [losses, *(p.data for p in model.parameters())]

    return run


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
}


@both_styles
@pytest.mark.parametrize("schedule", [False, True], ids=["constant", "schedule"])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_training_is_the_same_to_the_bit(make: Any, schedule: bool, style: str) -> None:
    run = training(make, schedule)
    for found, wanted in zip(run(lambda step: ta.compile(step, style=style)), run(lambda step: step), strict=True):
        equal(found, wanted)


def test_a_schedule_does_not_trace_anew() -> None:
    made = []

    def wrap(step: Any) -> Any:
        made.append(ta.compile(step))
        return made[0]

    training(OPTIMIZERS["Adam"], schedule=True)(wrap)
    assert len(made[0].variants) == 1


def test_branching_on_a_traced_value_names_the_line() -> None:
    def step(x: Any) -> Any:
        return x if x.sum() > 0 else -x  # the line

    with pytest.raises(TraceError, match=r"branch.*\n.*the line"):
        ta.compile(step)(np.ones(3))


class Dropout(nn.Module):
    """Written with a generator, as a user would."""

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        self.p, self.rng = p, rng

    def forward(self, x: Any) -> Any:
        if not self.training:
            return x
        keep = self.rng.random(x.shape) >= self.p
        return x * (keep / (1 - self.p)).astype(x.dtype)


class BatchNorm(nn.Module):
    """Running statistics: one array updated in place, one replaced, one number counted."""

    def __init__(self, n: int) -> None:
        self.gain = Tensor(np.ones(n))
        self.running_mean, self.running_var, self.batches = np.zeros(n), np.ones(n), 0

    def forward(self, x: Any) -> Any:
        if not self.training:
            return self.gain * (x - self.running_mean) / np.sqrt(self.running_var + 1e-5)
        mean, var = np.mean(x, axis=0), np.var(x, axis=0)
        self.running_mean += 0.1 * (mean.data - self.running_mean)
        self.running_var = 0.9 * self.running_var + 0.1 * var.data
        self.batches += 1
        return self.gain * (x - mean) / np.sqrt(var + 1e-5)


class Everything(nn.Module):
    """A network in which nothing stays the same from one step to the next."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.first, self.norm = nn.Linear(8, 16, rng=rng), BatchNorm(16)
        self.dropout, self.last = Dropout(0.25, np.random.default_rng(seed + 1)), nn.Linear(16, 4, rng=rng)

    def forward(self, x: Any) -> Any:
        return self.last(self.dropout(ta.tanh(self.norm(self.first(x)))))


@both_styles
def test_nothing_is_baked_in_over_200_steps(style: str) -> None:
    """Draws, counters, running statistics, a schedule, clipping of gradients, and train and eval in turn."""

    def run(wrap: Any) -> list[Any]:
        model = Everything(3)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        x, labels = digits_like(np.float64)

        def step(x: np.ndarray, labels: np.ndarray) -> Any:
            loss = ta.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            size = sum((p.grad * p.grad).sum() for p in model.parameters())
            for p in model.parameters():
                p.grad = p.grad * np.minimum(1.0, 0.5 / np.sqrt(size))
            optimizer.step()
            return {"loss": loss, "size": size}

        def evaluate(x: np.ndarray) -> Any:
            return model(x)

        do, look = wrap(step), wrap(evaluate)
        seen = []
        for i in range(200):
            optimizer.lr = 0.01 / (1 + i / 50)
            seen.append([float(v) for v in do(x, labels).values()])
            if i % 50 == 0:
                model.eval()
                seen.append(float(look(x).sum()))
                model.train()
        assert model.norm.batches == 200
        assert optimizer.steps[0] == 200
        return [*(np.array(v) for v in seen), *(p.data for p in model.parameters()), model.norm.running_mean]

    eager, compiled = run(lambda f: f), run(lambda f: ta.compile(f, style=style))
    for found, wanted in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_new_shape_or_dtype_is_traced_anew_and_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    step = ta.compile(lambda x: np.sum(ta.tanh(Tensor(x))), verbose=True)
    for x in (np.ones(3), np.ones(4), np.ones(3), np.ones(3, np.float32), np.ones(4)):
        equal(step(x), np.tanh(x).sum())
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(step.variants) == 3
    assert "x float64[4]" in said[1]


def test_an_argument_may_be_of_another_kind_at_the_next_call() -> None:
    w = ta.Tensor([1.0, 2.0])
    step = ta.compile(lambda x: np.sum(w * x))
    given = [np.ones(2), 3.0, np.ones(2, np.float32), [4.0, 5.0], np.float64(2.0), (1.0, 1.0), np.ones(2)]
    for x in given:
        assert step(x) == np.sum(w * np.asarray(x)).data
    assert len(step.variants) == len(given) - 1


@pytest.mark.parametrize("looks_around", [False, True])
def test_a_flag_decides_anew(looks_around: bool) -> None:
    """Also one that is still the class's, in a step that asks for all parameters, and so for all attributes."""

    class Flagged(nn.Module):
        def forward(self, x: Any) -> Any:
            return x + 1 if self.training else x - 1

    model = Flagged()

    @ta.compile
    def step(x: Any) -> Any:
        if looks_around:
            model.zero_grad()
        return model(x)

    assert step(np.zeros(1)) == 1
    model.eval()
    assert step(np.zeros(1)) == -1
    model.train()
    assert step(np.zeros(1)) == 1
    assert len(step.variants) == 3 or len(step.variants) == 2


def test_a_replaced_parameter_or_layer_is_noticed() -> None:
    model = nn.Sequential(nn.Linear(2, 2), ta.tanh)
    step = ta.compile(lambda x: model(x))
    x = np.ones((1, 2))
    equal(step(x), model(x).data)
    model[0].weight.data = np.full((2, 2), 0.5)
    equal(step(x), model(x).data)
    model[0].weight = Tensor(np.full((2, 2), -0.5))
    equal(step(x), model(x).data)
    model.layers = (model[0], ta.relu)
    equal(step(x), model(x).data)


def test_a_frozen_parameter_is_noticed() -> None:
    w, v = Tensor(np.ones(2), name="w"), Tensor(np.ones(2), name="v")
    optimizer = optim.SGD([w, v], lr=0.5)

    def step() -> Any:
        loss = np.sum(w * v)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled = ta.compile(step)
    compiled()
    w.requires_grad = False
    compiled()
    equal(w.data, np.full(2, 0.5))
    equal(v.data, np.full(2, 0.25))


def test_the_type_of_a_number_counts() -> None:
    class Settings:
        scale: Any = 0.5

    settings = Settings()
    settings.scale = 0.5
    step = ta.compile(lambda x: x * settings.scale)
    for scale in (0.5, np.float64(0.5), 1, 0.25):
        settings.scale = scale
        equal(step(np.ones(2, np.float32)), np.ones(2, np.float32) * scale)


rate = 0.5
table = np.arange(4.0)


def test_globals_and_closures_are_read_anew() -> None:
    scale = 2.0
    step = ta.compile(lambda x: x * rate + table[1] * scale)
    assert step(np.ones(1)) == 2.5
    globals()["rate"] = 1.5
    assert step(np.ones(1)) == 3.5
    table[1] = 2.0
    assert step(np.ones(1)) == 5.5
    globals()["table"] = np.array([0.0, 10.0, 0.0, 0.0])
    assert step(np.ones(1)) == 21.5
    scale = 3.0
    assert step(np.ones(1)) == 31.5
    globals().update(rate=0.5, table=np.arange(4.0))
    assert len(step.variants) == 1


def test_gradients_accumulate_over_calls_without_zero_grad() -> None:
    w = Tensor(np.array([1.0, 2.0]), name="w")

    def step(x: np.ndarray) -> Any:
        loss = np.sum(w * w * x)
        loss.backward()
        return loss

    compiled = ta.compile(step)
    for n in range(1, 4):
        compiled(np.ones(2))
        equal(w.grad, n * 2 * w.data)


def test_derivatives_of_derivatives_compile() -> None:
    def step(x: Any) -> Any:
        t = Tensor(x)
        first = ta.gradients(np.sum(np.sin(t) * t), t)
        second = ta.gradients(np.sum(first), t)
        return [first, {"second": second}, (ta.gradients(np.sum(second), t),)]

    x = np.linspace(-1, 1, 5)
    found, wanted = ta.compile(step)(x), step(x)
    equal(found[0], wanted[0].data)
    equal(found[1]["second"], wanted[1]["second"].data)
    equal(found[2][0], wanted[2][0].data)


def test_arguments_may_be_nested_and_named_and_tensors() -> None:
    def step(batch: dict[str, Any], *, scale: float, layers: list[Any]) -> Any:
        y = batch["x"] * scale
        for w in layers:
            y = y @ w
        return y

    compiled = ta.compile(step)
    w = Tensor(np.eye(2), name="w")
    equal(compiled({"x": np.ones(2)}, scale=2.0, layers=[w, w]), np.full(2, 2.0))
    equal(compiled({"x": np.ones(2)}, scale=3.0, layers=[w, w]), np.full(2, 3.0))
    assert len(compiled.variants) == 1
    equal(compiled({"x": np.ones(2)}, scale=3.0, layers=[w]), np.full(2, 3.0))


def test_what_a_step_returns_is_the_callers_own() -> None:
    step = ta.compile(lambda x: (x + 1, (x * 2).T, x.reshape(-1)))
    first = step(np.zeros((2, 3)))
    step(np.ones((2, 3)))
    equal(first[0], np.ones((2, 3)))
    equal(first[1], np.zeros((3, 2)))


REFUSED = {
    "branch": (lambda x: x if x.sum() > 0 else -x, "branch"),
    "item": (lambda x: x.sum().item(), r"\.item needs"),
    "float": (lambda x: float(x.sum()), "float"),
    "tensor item": (lambda x: np.sum(Tensor(x)).item(), "item|float"),
    "print": (lambda x: print(x), "printing"),
    "print a Tensor": (lambda x: print(Tensor(x)), "printing"),
    "format": (lambda x: f"{x}", "printing"),
    "asarray": (lambda x: np.asarray(x), "asarray"),
    "list": (lambda x: np.array([x[0], x[1]]), "asarray"),
    "range": (lambda x: list(range(x[0])), "float"),
    "allclose": (lambda x: np.allclose(x, 0), "bool"),
    "global randomness": (lambda x: x + np.random.rand(), "global random state"),  # noqa: NPY002
    "untraced out": (lambda x: np.add(x, 1, out=np.zeros(3)), "not traced"),
}


@pytest.mark.parametrize(("step", "said"), REFUSED.values(), ids=list(REFUSED))
def test_what_needs_the_numbers_is_refused_with_the_line(step: Any, said: str) -> None:
    with pytest.raises(TraceError, match=rf"(?s){said}.*test_compiler.py, line \d+: "):
        ta.compile(step)(np.ones(3))


def test_a_traced_value_does_not_leak() -> None:
    kept = []

    def step(x: Any) -> Any:
        kept.append(x)
        return x + 1

    with pytest.raises(TraceError, match="changes how much kept holds"):
        ta.compile(step)(np.ones(3))
    assert kept == []

    def keeper(x: Any) -> Any:
        Smuggler.value = x
        return x + 1

    with pytest.raises(TraceError, match="replaces value"):
        ta.compile(keeper)(np.ones(3))
    assert Smuggler.value is None
    seen: set[Any] = set()

    def collector(x: Any) -> Any:
        seen.add(x)
        return x + 1

    with pytest.raises(TraceError, match="changes what seen holds"):
        ta.compile(collector)(np.ones(3))
    assert not seen
    hidden: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def sly(x: Any) -> Any:
        hidden.put(x)
        return x + 1

    ta.compile(sly)(np.ones(3))
    with pytest.raises(TraceError, match="earlier trace"):
        hidden.get() + 1


class Smuggler:
    value: Any = None


def test_nothing_of_a_trace_outlives_it() -> None:
    x, labels = digits_like()
    model = network()
    sgd = optim.SGD(model.parameters(), lr=0.1)

    @ta.compile
    def step(x: Any, labels: Any) -> Any:
        loss = ta.cross_entropy(model(x), labels)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        return loss

    step(x, labels)
    gc.collect()
    trace = step.variants[0].traced.trace
    assert not [thing for thing in gc.get_objects() if type(thing) is Tracer and thing.trace is trace]


def test_a_failed_trace_leaves_everything_as_it_was() -> None:
    model = network()
    optimizer = optim.Adam(model.parameters())
    before = [p.data.copy() for p in model.parameters()]

    def step(x: Any, labels: Any) -> Any:
        loss = ta.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    with pytest.raises(TraceError):
        ta.compile(step)(*digits_like())
    for p, wanted in zip(model.parameters(), before, strict=True):
        assert type(p.data) is np.ndarray
        assert p.grad is None
        equal(p.data, wanted)
    assert optimizer.steps == [0, 0, 0, 0]
    assert optimizer.lr == 1e-3
    assert type(optimizer.mean[0]) is np.ndarray


def test_a_compiled_update_makes_older_graphs_stale() -> None:
    w = Tensor(np.ones(2), name="w")
    older = np.sum(w * w)

    def step() -> Any:
        loss = np.sum(w * 2)
        w.zero_grad()
        loss.backward()
        w.data -= 0.1 * w.grad
        return loss

    ta.compile(step)()
    with pytest.raises(RuntimeError, match="w"):
        older.backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_step_runs_alone_and_checks_its_gradients(tmp_path: Path, dtype: Any) -> None:
    model = Everything(3).astype(dtype)
    model.norm.running_mean, model.norm.running_var = np.zeros(16, dtype), np.ones(16, dtype)
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x: np.ndarray, labels: np.ndarray) -> Any:
        loss = ta.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled = ta.compile(step)
    compiled(*digits_like(dtype))
    path = compiled.save(tmp_path / "step.py")
    assert "tinygrad" not in path.read_text()
    told = subprocess.run([sys.executable, "-W", "error", path], capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "last_weight: along" in told.stdout
    assert told.stdout.endswith("the gradients agree\n")
    path.write_text(path.read_text().replace("d_last_weight = ", "d_last_weight = 1.01 * "))
    told = subprocess.run([sys.executable, path], capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr == "the gradient is wrong of: last_weight\n"


@both_dtypes
@every_sample
def test_backward_source_is_the_backward_pass(sample: Sample, dtype: Any) -> None:
    inputs = [x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in sample.inputs]
    if sample.op.name == "where":
        return  # its condition is no Tensor
    named = [
        Tensor(x, name=f"x{i}") if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
        for i, x in enumerate(inputs)
    ]
    tensors = [t for t in named if isinstance(t, Tensor)]
    y = sample.op(*named)
    weights = np.linspace(0.5, 1.5, y.size, dtype=dtype).reshape(y.shape)
    loss = np.sum(y * weights)
    source = ta.backward_source(loss)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    function = namespace["loss_and_gradients"]
    loss.backward()
    parameters = inspect.signature(function).parameters
    constants = [x for x in (*named, weights) if isinstance(x, np.ndarray)]
    left = iter(constants[-len(parameters) + len(tensors) :])
    given = {name: next((t.data for t in tensors if t.name == name), None) for name in parameters}
    value, *gradients = function(**{name: next(left) if x is None else x for name, x in given.items()})
    np.testing.assert_array_equal(value, loss.data)
    for t, gradient in zip(sorted(tensors, key=lambda t: list(parameters).index(t.name)), gradients, strict=True):
        np.testing.assert_array_equal(gradient, t.grad)


def test_backward_source_names_what_the_graph_names() -> None:
    rng = np.random.default_rng(0)
    w, x = Tensor(rng.standard_normal((3, 2)), name="w"), rng.standard_normal((4, 3))
    loss = np.sum(ta.tanh(x @ w))
    source = ta.backward_source(loss)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    value, gradient = namespace["loss_and_gradients"](w=w.data, a=x)
    loss.backward()
    equal(value, loss.data)
    equal(gradient, w.grad)
    assert "# tanh, rule for x: sech²(x) = 1 - tanh²(x)" in source


def test_lists_and_large_masks_compile() -> None:
    def step(x: Any) -> Any:
        return np.multiply(x, [[1.0, 2.0]]), x * (x >= 0).astype(x.dtype)

    x = np.random.default_rng(0).standard_normal((20000, 2)).astype(np.float32)
    for found, wanted in zip(ta.compile(step)(x), step(x), strict=True):
        equal(found, wanted)


class Settings:
    """Read through the class, through an object of it, and through a property."""

    rate: float = 0.5
    table: list[float]

    def __init__(self) -> None:
        self.table = [1.0, 2.0]

    @property
    def doubled(self) -> float:
        return 2 * self.rate * bonus


@dataclasses.dataclass(slots=True)
class Slotted:
    rate: float
    on: bool = True


bonus = 1.0


def test_class_attributes_slots_properties_and_defaults_are_read_anew() -> None:
    settings, slotted, queue = Settings(), Slotted(0.5), collections.deque([1.0])

    def scaled(x: Any, by: float = 2.0) -> Any:
        return x * by

    def step(x: Any) -> Any:
        y = x * Settings.rate + settings.doubled + settings.table[1] + queue[0]
        return scaled(y) + (slotted.rate if slotted.on else 0.0)

    compiled = ta.compile(step)
    x = np.ones(1)

    def check() -> None:
        equal(compiled(x), step(x))

    check()
    Settings.rate = 0.25
    check()
    globals()["bonus"] = 3.0
    check()
    settings.table[1] = 5.0
    slotted.rate = 7.0
    queue[0] = 0.0
    check()
    scaled.__defaults__ = (4.0,)
    check()
    assert len(compiled.variants) == 1
    slotted.on = False
    check()
    settings.rate = 100.0
    check()
    Settings.rate = 0.5
    globals()["bonus"] = 1.0


def test_a_saved_step_of_two_losses_has_no_check_it_cannot_pass(tmp_path: Path) -> None:
    a, b = Tensor(np.ones(3), name="a"), Tensor(np.ones(3), name="b")

    def step(x: Any) -> Any:
        for t in (a, b):
            t.zero_grad()
            loss = np.sum(a * b * x)
            loss.backward()
            t.data -= 0.1 * t.grad
        return loss

    compiled = ta.compile(step)
    compiled(np.ones(3))
    told = subprocess.run([sys.executable, compiled.save(tmp_path / "step.py")], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def test_exponents_keep_their_brackets() -> None:
    assert plain_text(r"\bar y\, b a^{b-1}") == "ȳ b a^(b-1)"
    assert plain_text(r"\cfrac{1}{1 + e^{-z}}") == "1/(1 + e^(-z))"


def test_a_large_network_is_the_same_to_the_bit() -> None:
    """Large enough for masks to be taken early, and to stay booleans."""

    def run(wrap: Any) -> list[Any]:
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(64, 256, rng=rng), ta.relu, nn.Linear(256, 3, rng=rng)).astype(np.float32)
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x: Any, labels: Any) -> Any:
            loss = ta.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        x, labels = rng.standard_normal((256, 64)).astype(np.float32), rng.integers(0, 3, 256)
        do = wrap(step)
        return [*(float(do(x, labels)) for _ in range(5)), *(p.data for p in model.parameters())]

    compiled: list[Any] = []

    def keep(step: Any) -> Any:
        compiled.append(ta.compile(step))
        return compiled[0]

    for found, wanted in zip(run(keep), run(lambda f: f), strict=True):
        equal(found, wanted)
    lines = compiled[0].source.splitlines()
    early = next(i for i, line in enumerate(lines) if "np.greater_equal" in line)
    assert "np.maximum" in "".join(lines[early : early + 8])


def test_numbers_can_be_used_as_numbers() -> None:
    class Schedule:
        n, rate = 3, -0.5

    schedule = Schedule()
    names = {3: "three", 4: "four"}

    def step(x: Any) -> Any:
        y = x * abs(schedule.rate) + round(schedule.rate) - (-schedule.rate) + (+schedule.n)
        for i in range(schedule.n):
            y = y + i * int(schedule.n) + float(schedule.rate)
        size = len(names[schedule.n]) + len(f"{schedule.rate:.2f}") + len(str(schedule.n))
        power = (2**schedule.n - schedule.n**2) // 2 % 5 / schedule.n
        return y * size + power + np.asarray(schedule.rate) + (1 if 0 < schedule.n <= 3 else 2)

    compiled = ta.compile(step)
    for schedule.n, schedule.rate in ((3, -0.5), (4, 0.25), (3, -0.5)):
        equal(compiled(np.ones(2)), step(np.ones(2)))
