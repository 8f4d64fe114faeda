"""The elementary ops, by family; importing them fills the table that makes NumPy's functions work on a Tensor."""

from . import (
    arithmetic,
    binary,
    constant,
    decompositions,
    elementary,
    indexing,
    joining,
    linalg,
    masked,
    matrices,
    methods,
    reduce,
    shape,
    sorting,
    special,
    statistics,
)

__all__ = [
    "arithmetic",
    "binary",
    "constant",
    "decompositions",
    "elementary",
    "indexing",
    "joining",
    "linalg",
    "masked",
    "matrices",
    "methods",
    "reduce",
    "shape",
    "sorting",
    "special",
    "statistics",
]
