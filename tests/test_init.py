"""Initial weights from first principles: the gain of an activation, and a signal that survives thirty layers."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import tinygrad_act as ta
from tinygrad_act import Tensor, nn
from tinygrad_act.activations.names import catalogue
from tinygrad_act.nn.gain import second_moment
from tinygrad_act.nn.init import auto, gain
from tinygrad_act.op import OPS, Elementwise


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# fmt: off
CLOSED = {  # E f(x)² for x ~ N(0, 1)
    "identity": (lambda x: x, 1),
    "cube": (lambda x: x**3, 15),
    "exp": (np.exp, math.e**2),
    "1e120": (lambda x: np.full_like(x, 1e120), 1e240),
    "exp of 10 x": (lambda x: np.exp(10 * x), math.exp(200)),
    "exp of x²/5": (lambda x: np.exp(x * x / 5), math.sqrt(5)),
    "gaussian": (lambda x: np.exp(-x * x), 1 / math.sqrt(5)),
    "narrow gaussian": (lambda x: np.exp(-((100 * x) ** 2)), 1 / math.sqrt(40001)),
    "erf": (OPS["erf"], 2 / math.pi * math.asin(2 / 3)),
    "normal cdf": (OPS["normal_cdf"], 1 / 3),
    "step": (lambda x: np.where(x > 0.123456, 1.0, 0.0), math.erfc(0.123456 / math.sqrt(2)) / 2),
    **{f"sin {w}": (lambda x, w=w: np.sin(w * x), -math.expm1(-2 * w * w) / 2) for w in (0.1, 1.0, 30.0, 777.0)},
}
# fmt: on


@pytest.mark.parametrize("name", CLOSED)
def test_a_second_moment_is_the_closed_form(name: str) -> None:
    f, moment = CLOSED[name]
    assert second_moment(f) == pytest.approx(moment, rel=1e-10)
    assert gain(f) == pytest.approx(1 / math.sqrt(moment), rel=1e-10)


def test_no_jump_and_no_corner_is_missed_wherever_it_is() -> None:
    for t in rng().uniform(-3, 3, 200):
        above, density = math.erfc(t / math.sqrt(2)) / 2, math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
        assert second_moment(lambda x, t=t: np.where(x > t, 1.0, 0.0)) == pytest.approx(above, rel=1e-10)
        corner = (1 + t * t) * above - t * density
        assert second_moment(lambda x, t=t: np.maximum(x - t, 0)) == pytest.approx(corner, rel=1e-9)


def sp(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x))


REFERENCE = {
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(sp(x)),
    "tanh": mpmath.tanh,
    "softplus": sp,
}


@pytest.mark.parametrize("name", REFERENCE)
def test_a_gain_is_that_of_mpmath(name: str) -> None:
    moment = mpmath.quad(lambda x: REFERENCE[name](x) ** 2 * mpmath.npdf(x), list(range(-14, 15, 2)))
    assert gain(name) == pytest.approx(float(1 / mpmath.sqrt(moment)), rel=1e-10)


def test_the_gains_that_people_know() -> None:
    known = {"gelu": 1.5335, "silu": 1.6765, "mish": 1.4868, "tanh": 1.5925, "selu": 1.0, "relu": 1.4142, "identity": 1}
    assert {name: round(gain(name), 4) for name in known} == known
    assert gain(ta.relu) == pytest.approx(math.sqrt(2), rel=1e-14)
    for alpha in (0.01, 0.3, 1.0, -1.0, 2.0):
        assert gain(ta.LeakyReLU(alpha=alpha)) == pytest.approx(math.sqrt(2 / (1 + alpha**2)), rel=1e-13)


@pytest.mark.parametrize(
    "op",
    [op for op in catalogue().values() if isinstance(op, Elementwise) and op.domain[0] < 0],
    ids=lambda op: op.name,
)
def test_every_elementwise_activation_has_a_gain(op: Elementwise) -> None:
    x = np.linspace(-12, 12, 100_001)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert gain(op) == pytest.approx(1 / math.sqrt(np.trapezoid(op(x) ** 2 * density, x)), rel=1e-3)


def test_an_op_counts_by_its_settings_not_by_its_class() -> None:
    assert gain(ta.LeakyReLU(alpha=0.5)) != gain(ta.leaky_relu)
    assert gain("Leaky-ReLU") == gain(ta.leaky_relu)


def test_an_op_is_integrated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    op = ta.ELU(alpha=0.123)
    first = gain(op)
    monkeypatch.setattr(ta.ELU, "forward", None)
    assert gain(ta.ELU(alpha=0.123)) == first


def test_what_learns_counts_with_what_it_starts_from() -> None:
    assert ta.prelu.learned == {"a": 0.25}
    assert gain(ta.prelu) == pytest.approx(math.sqrt(2 / (1 + 0.25**2)), rel=1e-13)


def test_a_module_counts_with_its_parameters() -> None:
    assert gain(nn.Learned(ta.prelu, a=0.5)) == pytest.approx(math.sqrt(2 / 1.25))


def test_float32_is_good_enough() -> None:
    assert gain(lambda x: np.tanh(x.astype(np.float32))) == pytest.approx(gain("tanh"), rel=1e-6)


def gated(x: Any) -> Any:
    return x[..., ::2] * x[..., 1::2]


@pytest.mark.parametrize(
    ("op", "why"),
    [
        (lambda x: 0 * x, "0 .almost. everywhere"),
        (lambda x: x + math.inf, "^<function <lambda>.* has no gain.*converge"),
        (lambda x: x + math.nan, "converge"),
        (lambda x: x + 1e300, "converge"),
        (lambda x: np.where(np.abs(x) < 1e-6, math.inf, 1.0), "converge"),
        (lambda x: np.exp(0.26 * x * x), "converge"),
        (lambda x: np.exp(0.3 * x * x), "converge"),
        (lambda x: np.exp(np.where(x > 0, 0.3 * x * x, 0)), "converge"),
        (lambda x: np.exp(np.where(x < 0, 0.3 * x * x, 0)), "converge"),
        (OPS["tan"], "^tan has no gain.*converge"),
        (OPS["log"], "not finite for every x"),
        (OPS["reciprocal"], "not finite for every x"),
        ("softmax", "each element"),
        ("maxout", "each element"),
        (gated, "each element"),
        (OPS["matmul"], "each element"),
        (np.cumsum, "each element"),
        (np.sort, "each element"),
        (lambda x: x - x.mean(), "each element"),
        (lambda x: x.reshape(2, 3), "each element"),
        (lambda x: 1.0, "each element"),
        ("gleu", "gelu"),
    ],
)
def test_what_has_no_gain_says_why(op: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        gain(op)


def deep(f: Any, width: int = 256, depth: int = 30) -> nn.Sequential:
    layers = [nn.Sequential(nn.Linear(width, width, rng=rng(1)), f) for _ in range(depth)]
    return nn.Sequential(*layers, nn.Linear(width, 10, rng=rng(1)))


def signals(model: nn.Module, x: Any) -> list[Any]:
    """What comes out of each Linear layer."""
    found = []

    def noted(linear: nn.Linear, x: Any) -> Any:
        found.append(type(linear).forward(linear, x))
        return found[-1]

    linears = [m for m in model.modules() if isinstance(m, nn.Linear)]
    for linear in linears:
        vars(linear)["forward"] = lambda x, linear=linear: noted(linear, x)
    with ta.no_grad():
        model(x)
    for linear in linears:
        del vars(linear)["forward"]
    return [z.data for z in found]


def rms(z: Any) -> Any:
    return np.sqrt(np.mean(np.square(z)))


X = rng(5).standard_normal((64, 256))


@pytest.mark.parametrize("name", ["tanh", "selu", "elu", "sin", "sigmoid", "softsign"])
def test_a_signal_keeps_variance_1_through_thirty_layers(name: str) -> None:
    found = signals(auto(deep(name), rng=rng(2)), X)
    assert len(found) == 31
    assert all(0.8 < rms(z) < 1.25 for z in found[:30])
    assert 0.5 < rms(found[30]) < 2, "10 features vary more"
    f = OPS[name]
    assert all(rms(f(z)) == pytest.approx(1 / gain(f), rel=0.25) for z in found[:30])


def test_relu_keeps_it_on_average() -> None:
    """Its deviations, of about 1/16 a layer here, add up: unlike for tanh nothing pulls them back."""
    last = [rms(signals(auto(deep("relu"), rng=rng(seed)), X)[29]) for seed in range(10)]
    assert rms(last) == pytest.approx(1, rel=0.3)
    assert rms(signals(deep("relu"), X)[29]) < 1e-3, "by default it is lost"


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu", "silu", "mish"])
def test_measured_the_signal_has_root_mean_square_1_on_the_batch(name: str) -> None:
    found = signals(auto(deep(name), X, rng=rng(2)), X)
    assert [rms(z) for z in found] == pytest.approx([1] * 31, rel=1e-9)


def scale(linear: nn.Linear) -> Any:
    """The standard deviation of the weights, times √in."""
    return linear.weight.data.std() * math.sqrt(linear.weight.shape[0])


def linears(model: nn.Module) -> list[nn.Linear]:
    return [m for m in model.modules() if isinstance(m, nn.Linear)]


def layer(n: int, m: int) -> nn.Linear:
    return nn.Linear(n, m, rng=rng(1))


class Doubled(nn.Linear):
    """A Linear layer that computes something else."""

    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


def test_the_activation_decides_the_scale_of_the_weights_that_follow_it() -> None:
    model = nn.Sequential(
        nn.Flatten(),
        layer(300, 200),
        "tanh",
        nn.Sequential(layer(200, 300), layer(300, 400), lambda x: 3 * x),
        nn.Sequential(ta.gelu, nn.Maxout(400, 100, pieces=3, rng=rng(1)), layer(100, 900)),
        nn.Learned(ta.prelu, features=900, a=-0.5),
        layer(900, 100),
        lambda x: 10 * x,
        layer(100, 900),
        "softmax",
    )
    assert auto(model, rng=rng(3)) is model
    composed = gain(lambda x: ta.gelu(3 * x))
    greatest = 1 / math.sqrt(1 + math.sqrt(3) / (2 * math.pi))  # E max² of three
    expected = [1, gain("tanh"), 1, composed, greatest, math.sqrt(2 / 1.25), 0.1]
    assert [scale(linear) for linear in linears(model)] == pytest.approx(expected, rel=0.02)


def test_what_maxout_gives_is_weighed_as_the_greatest() -> None:
    for pieces, f in [(2, None), (4, None), (2, ta.relu), (3, ta.tanh)]:
        z = rng().standard_normal((200_000, pieces)).max(axis=1)
        last = layer(400, 400)
        model = nn.Sequential(nn.Maxout(4, 400, pieces=pieces, rng=rng()), *([f] if f else []), last)
        auto(model, rng=rng(3))
        assert scale(last) == pytest.approx(1 / rms(f(z) if f else z), rel=0.01)


def test_it_is_reproducible_sets_biases_to_0_and_stays_float32() -> None:
    def made(seed: int, *batch: Any) -> list[Any]:
        model = nn.Sequential(layer(256, 30), ta.tanh, nn.Linear(30, 3, bias=False, rng=rng(1))).astype(np.float32)
        model[0].bias.data = np.ones(30, np.float32)
        before = model(X).sum()
        auto(model, *batch, rng=rng(seed))
        assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
        assert not model[0].bias.data.any()
        assert vars(model[0]).keys() == {"weight", "bias"}
        with pytest.raises(RuntimeError, match="changed after"):
            before.backward()
        return [p.data for p in model.parameters()]

    for batch in ([], [X.astype(np.float32)]):
        same, again, other = made(1, *batch), made(1, *batch), made(2, *batch)
        assert all(np.array_equal(a, b) for a, b in zip(same, again, strict=True))
        assert not np.array_equal(same[0], other[0])


class Residual(nn.Module):
    """A module whose order only its forward knows, with a gate, a detour through NumPy, and parameters of its own."""

    def __init__(self) -> None:
        self.last, self.first, self.gate = layer(128, 10), layer(256, 128), nn.Linear(256, 128, bias=False, rng=rng(1))
        self.factor = Tensor(7.0)
        self.blocks = {"a": layer(128, 128), "b": nn.Maxout(128, 128, pieces=2, rng=rng(1))}

    def forward(self, x: Any, times: int = 1) -> Any:
        h = self.factor * ta.gelu(self.first(x)) * self.gate(x) * times
        h = h + self.blocks["a"](ta.tanh(h / h.detach().data.max()))
        return {"scores": self.last(self.blocks["b"](h))}


def test_any_module_can_be_measured() -> None:
    model = Residual()
    auto(model, 5 + 0.1 * X, 3, rng=rng(2))
    assert [rms(z) for z in signals(model, 5 + 0.1 * X)] != pytest.approx([1] * 5, rel=1e-3)
    auto(model, 5 + 0.1 * X, rng=rng(2))
    assert [rms(z) for z in signals(model, 5 + 0.1 * X)] == pytest.approx([1] * 5, rel=1e-9)
    assert model.factor.item() == 7


def test_a_layer_used_twice_has_the_scale_of_its_first_use() -> None:
    shared = layer(256, 256)
    model = nn.Sequential(shared, ta.tanh, shared)
    with pytest.raises(ValueError, match="used twice"):
        auto(model)
    auto(model, X, rng=rng())
    assert [rms(z) for z in signals(model, X)] == pytest.approx([1, 1 / gain("tanh")], rel=0.05)


def test_frozen_weights_are_left_alone() -> None:
    model = nn.Sequential(layer(256, 256), ta.tanh, layer(256, 256), ta.tanh, layer(256, 256))
    model[2].weight.requires_grad = False
    before = model[2].weight.data
    with pytest.raises(ValueError, match=r"cannot work out what Tanh\(\), Linear"):
        auto(model)
    auto(model, X, rng=rng())
    assert model[2].weight.data is before
    first, _, last = signals(model, X)
    assert [rms(first), rms(last)] == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Residual(), "in a Sequential only, and last.weight is in another"),
        (nn.Sequential(layer(2, 2), Residual()), "layers.1.last.weight is in another"),
        (nn.Sequential(layer(2, 2), "softmax", layer(2, 2)), "work out what Softmax"),
        (nn.Sequential(layer(2, 2), gated, layer(1, 2)), "work out what <function gated"),
        (nn.Sequential(layer(2, 2), lambda x: 0 * x, layer(2, 2)), "measure, auto.model, x."),
        (
            nn.Sequential(layer(2, 2), nn.Learned(ta.prelu, features=2, a=[0.1, 0.2]), layer(2, 2)),
            "work out what Learned",
        ),
        (nn.Sequential(layer(2, 2), Doubled(2, 2)), "layers.1.weight is in another"),
    ],
)
def test_what_it_cannot_know_it_refuses_and_changes_nothing(model: nn.Module, why: str) -> None:
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match=why):
        auto(model)
    assert all(p.data is data for p, data in zip(model.parameters(), before, strict=True))


def test_measuring_records_no_graph() -> None:
    seen = []
    auto(nn.Sequential(layer(256, 8), lambda x: seen.append(x) or x, layer(8, 8)), X)
    assert [x.requires_grad for x in seen] == [False]


@pytest.mark.parametrize("fails", [False, True])
def test_measuring_leaves_generators_as_they_were(fails: bool) -> None:
    """But for the one that the weights are drawn from, which has drawn them and no more."""
    shared = rng(1)
    draws = [nn.RReLU(rng=rng(2)), nn.GumbelSoftmax(rng=np.random.Generator(np.random.MT19937(3)))]
    model = nn.Sequential(layer(256, 8), *draws, nn.RReLU(rng=shared), *([lambda x: 0 * x, layer(8, 8)] * fails))
    if fails:
        with pytest.raises(ValueError, match="the signal has become"):
            auto(model, X, rng=shared)
    else:
        auto(model, X, rng=shared)
    assert draws[0].rng.random() == rng(2).random()
    assert draws[1].rng.random() == np.random.Generator(np.random.MT19937(3)).random()
    assert all(module.training for module in model.modules())
    expected = rng(1)
    expected.normal(size=256 * 8 + 64 * fails)
    assert shared.random() == expected.random()


def test_what_it_refused_it_can_measure() -> None:
    model = nn.Sequential(
        layer(256, 64), gated, Doubled(32, 64), nn.Learned(ta.prelu, features=64, a=np.linspace(0, 1, 64))
    )
    auto(model, X, rng=rng())
    assert [rms(z) for z in signals(model, X)] == pytest.approx([1, 1])


def test_a_signal_that_is_lost_on_the_way_is_named() -> None:
    for f, size in [(lambda x: 0 * x, "0.0"), (lambda x: math.nan * x, "nan")]:
        model = nn.Sequential(layer(256, 8), f, layer(8, 8), layer(8, 8))
        with pytest.raises(ValueError, match=f"become {size} at layers.2.weight"):
            auto(model, X)
        assert all("forward" not in vars(linear) for linear in linears(model))
    with pytest.raises(ValueError, match="become inf at weight"):
        auto(layer(1, 1), np.array([[math.inf]]))
    auto(nn.Sequential(layer(256, 8), lambda x: 1e200 * x, layer(8, 8)), X)  # this one can be brought back


def test_a_layer_that_is_not_called_is_named() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            self.code, self.tied = layer(256, 8), layer(256, 8)

        def forward(self, x: Any) -> Any:
            return self.code(x) @ self.tied.weight.T

    model = Tied()
    with pytest.raises(ValueError, match=r"call the layers of tied.weight: "):
        auto(model, X)
    assert model(X).shape == X.shape
