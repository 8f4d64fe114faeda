"""The reason for the package: every activation, a block each, by family."""

from .maxout import Maxout, maxout
from .rectifiers import ELU, LeakyReLU, ReLU, elu, leaky_relu, relu
from .sigmoidal import Sigmoid, Tanh, sigmoid, tanh
from .softmax import Logsumexp, Softmax, logsumexp, softmax

__all__ = [
    "ELU",
    "LeakyReLU",
    "Logsumexp",
    "Maxout",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "elu",
    "leaky_relu",
    "logsumexp",
    "maxout",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
