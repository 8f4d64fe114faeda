"""The data: the digits that come along, the toy sets by their geometry, and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_act.data import Split, batches, blobs, circles, curve, digits, moons, spirals, xor

TOYS = [moons, circles, spirals, xor, blobs]
every_toy = pytest.mark.parametrize("toy", TOYS, ids=lambda f: f.__name__)
everything = pytest.mark.parametrize("toy", [*TOYS, curve], ids=lambda f: f.__name__)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def all_digits(split: Split) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([split.x_train, split.x_test]), np.concatenate([split.y_train, split.y_test])


def in_one_order(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows = np.column_stack([x, y])
    return rows[np.lexsort(rows.T)]


def test_digits_are_1797_images_between_0_and_1_with_their_labels() -> None:
    split = digits()
    assert [a.shape for a in split] == [(1198, 64), (1198,), (599, 64), (599,)]
    assert [a.dtype for a in split] == [np.float64, np.int64] * 2
    x, y = all_digits(split)
    assert set(np.unique(x * 16)) == set(range(17))
    assert set(np.unique(y)) == set(range(10))
    for labels, share in ((split.y_train, 1198 / 10), (split.y_test, 599 / 10)):
        assert (np.abs(np.bincount(labels) - share) < 0.2 * share).all(), "every digit has about its share"


def test_the_split_is_fixed_and_shares_no_image() -> None:
    for first, second in zip(digits(), digits(), strict=True):
        np.testing.assert_array_equal(first, second)
    x, _ = all_digits(digits())
    assert len(np.unique(x, axis=0)) == 1797


def test_who_edits_the_digits_edits_a_copy() -> None:
    digits().x_train[...] = -1
    assert digits().x_train.min() == 0


def test_images_that_are_not_flat_are_the_same_images() -> None:
    flat, square = digits(), digits(flat=False)
    assert [a.shape for a in square] == [(1198, 8, 8), (1198,), (599, 8, 8), (599,)]
    for one, other in zip(flat, square, strict=True):
        np.testing.assert_array_equal(one.ravel(), other.ravel())


def test_digits_are_scikit_learns() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="parity with scikit-learn needs tinygrad_act[parity]")
    theirs = datasets.load_digits()
    x, y = all_digits(digits())
    np.testing.assert_array_equal(in_one_order(16 * x, y), in_one_order(theirs.data, theirs.target))


@every_toy
@pytest.mark.parametrize("n", [0, 1, 120])
def test_a_toy_set_has_points_in_the_plane_and_labels(toy: Callable[..., Any], n: int) -> None:
    x, y = toy(n, rng=rng())
    assert (x.shape, y.shape) == ((n, 2), (n,))
    assert (x.dtype, y.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize(
    ("toy", "options", "classes"),
    [
        *((toy, {}, 2) for toy in (moons, circles, spirals, xor)),
        (blobs, {}, 3),
        (blobs, {"classes": 5}, 5),
        (spirals, {"arms": 4}, 4),
    ],
)
def test_every_class_has_its_share(toy: Callable[..., Any], options: dict[str, int], classes: int) -> None:
    _, y = toy(120, rng=rng(), **options)
    np.testing.assert_array_equal(np.bincount(y), [120 // classes] * classes)


@everything
def test_a_toy_set_is_the_same_from_the_same_seed(toy: Callable[..., Any]) -> None:
    one, same, other = (np.column_stack(toy(50, noise=0.2, rng=rng(seed))) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(np.column_stack(toy(50, noise=0.2)), np.column_stack(toy(50, noise=0.2)))


@everything
def test_noise_is_gaussian_of_that_size(toy: Callable[..., Any]) -> None:
    """The same seed draws the same places, so that what differs is noise; within five standard errors."""
    (x, y), (clean_x, clean_y) = toy(4000, noise=0.2, rng=rng()), toy(4000, noise=0.0, rng=rng())
    noise = np.concatenate([(x - clean_x).ravel(), (y - clean_y).ravel() if toy is curve else []])
    noise = noise[noise != 0]
    assert len(noise) in (4000, 8000)
    assert abs(noise.std() / 0.2 - 1) < 5 / np.sqrt(2 * len(noise))
    assert abs(noise.mean()) < 5 * 0.2 / np.sqrt(len(noise))


def test_moons_are_two_half_circles_of_which_each_ends_in_the_other() -> None:
    x, y = moons(400, noise=0.0, rng=rng())
    upper, lower = x[y == 0], x[y == 1] - [1.0, 0.5]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*lower.T), 1)
    assert upper[:, 1].min() >= 0 >= lower[:, 1].max()
    assert np.ptp(upper[:, 0]) > 1.9
    assert np.ptp(lower[:, 0]) > 1.9


def test_circles_go_all_around_at_radius_1_and_one_half() -> None:
    x, y = circles(400, noise=0.0, rng=rng())
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1.0, 0.5))
    for k in (0, 1):
        quadrants = 2 * (x[y == k, 0] > 0) + (x[y == k, 1] > 0)
        assert np.bincount(quadrants).min() > 25


@pytest.mark.parametrize(("arms", "turns"), [(2, 1.0), (3, 0.75)])
def test_spirals_turn_as_they_go_outwards(arms: int, turns: float) -> None:
    x, y = spirals(300, noise=0.0, rng=rng(), arms=arms, turns=turns)
    radius = np.hypot(*x.T)
    assert radius.min() < 0.05
    assert 0.95 < radius.max() <= 1
    angle = 2 * np.pi * (turns * radius + y / arms)
    np.testing.assert_allclose(x, radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), atol=1e-14)


def test_xor_is_at_the_corners_of_a_square() -> None:
    x, y = xor(40, noise=0.1, rng=rng())
    corners = x.round().astype(int)
    assert {tuple(c) for c in corners} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    np.testing.assert_array_equal(y, corners[:, 0] != corners[:, 1])
    np.testing.assert_array_equal(xor()[0], [[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_blobs_are_around_points_evenly_spread_on_the_circle(classes: int) -> None:
    x, y = blobs(12, noise=0.0, rng=rng(), classes=classes)
    np.testing.assert_allclose(x[:, 0] + 1j * x[:, 1], np.exp(2j * np.pi * y / classes), atol=1e-15)


def test_the_curve_is_as_described() -> None:
    x, y = curve(81, noise=0.0)
    assert x.shape == y.shape == (81, 1)
    np.testing.assert_allclose(x[:, 0], np.arange(-40, 41) / 20, atol=1e-15)
    np.testing.assert_allclose(y, np.sin(3 * x) + x / 2, rtol=1e-15)


@pytest.mark.parametrize("size", [1, 3, 4, 10, 11, 100])
@pytest.mark.parametrize("seed", [None, 0])
def test_batches_cover_every_row_once_and_keep_rows_together(size: int, seed: int | None) -> None:
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    parts = list(batches(x, y, size=size, rng=None if seed is None else rng(seed)))
    assert [len(a) for a, _ in parts] == [min(size, 10 - i) for i in range(0, 10, size)]
    for a, b in parts:
        np.testing.assert_array_equal(a[:, 0], 2 * b)
    order = np.concatenate([b for _, b in parts])
    assert sorted(order) == list(range(10))
    assert (order.tolist() == list(range(10))) == (seed is None)


def test_batches_come_in_another_order_each_time_and_in_the_same_from_the_same_seed() -> None:
    def orders(generator: np.random.Generator) -> list[np.ndarray]:
        return [np.concatenate([rows for (rows,) in batches(np.arange(30), size=7, rng=generator)]) for _ in range(2)]

    (first, second), again = orders(rng(1)), orders(rng(1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal([first, second], again)


def test_who_edits_a_batch_edits_a_copy() -> None:
    x = np.zeros(4)
    for (rows,) in batches(x, size=2):
        rows += 1
    np.testing.assert_array_equal(x, np.zeros(4))


def test_no_rows_make_no_batches() -> None:
    assert list(batches(np.zeros((0, 2)), np.zeros(0), size=3)) == []


@pytest.mark.parametrize(
    ("arrays", "size", "message"),
    [
        ([np.zeros(3), np.zeros(4)], 2, r"batches takes arrays of one length, not of \[3, 4\]"),
        ([], 2, r"batches takes arrays of one length, not of \[\]"),
        ([np.zeros(3)], 0, "a batch has at least 1 row, not 0"),
        ([np.zeros(3)], -1, "a batch has at least 1 row, not -1"),
    ],
    ids=["lengths", "nothing", "zero", "negative"],
)
def test_impossible_batches_are_refused_before_the_loop(arrays: list[np.ndarray], size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batches(*arrays, size=size)
