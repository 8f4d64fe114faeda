"""The two squashing functions, and the square of sech, which is the derivative of one of them."""

from __future__ import annotations

import numpy as np

from ..op import Array, Elementwise, register


class Sigmoid(Elementwise):
    """The logistic function, from 0 through 1/2 to 1 (document, section Sigmoid).

    The rule is evaluated as sigmoid(z) sigmoid(-z): the same number, but 1 - sigmoid(z) loses all its digits once
    sigmoid(z) rounds to 1, beyond z = 17 in float32.

    >>> sigmoid(np.array([0.0, 100.0]))
    array([0.5, 1. ])
    """

    formula = r"\cfrac{1}{1 + e^{-z}}"
    rule = r"\cfrac{e^{-z}}{(1 + e^{-z})^2} = \mathrm{sigmoid}(z)(1 - \mathrm{sigmoid}(z))"

    def forward(self, z: Array) -> Array:
        e = np.exp(-np.abs(z))  # never overflows; 1/(1 + e^-z) for z >= 0, e^z/(1 + e^z) below
        return np.maximum(z >= 0, e) / (1 + e)  # 1 or e, which is less; np.where waits for a branch at each element

    def derivative(self, y: Array, z: Array) -> Array:
        return y * sigmoid(-z)


class Tanh(Elementwise):
    """The hyperbolic tangent, from -1 through 0 to 1 (document, section tanh).

    The document prints the middle fraction as (e^x - e^x)/(e^x + e^x); it means (e^x - e^-x)/(e^x + e^-x). The rule is
    evaluated in its first form, as 1 - tanh² loses its digits once tanh rounds to 1, beyond x = 9 in float32.

    >>> tanh(np.array([0.0, 100.0]))
    array([0., 1.])
    """

    formula = r"\cfrac{\sinh(x)}{\cosh(x)} = \cfrac{e^x - e^{-x}}{e^x + e^{-x}} = \cfrac{1 - e^{-2x}}{1 + e^{-2x}}"
    rule = r"\mathrm{sech}^2(x) = 1 - \tanh^2(x)"

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def derivative(self, y: Array, x: Array) -> Array:
        return sech2(x)


class Sech2(Elementwise):
    """The square of the hyperbolic secant: the derivative of tanh.

    >>> sech2(np.array([0.0, 1.0]))
    array([1.        , 0.41997434])
    """

    formula = r"\mathrm{sech}^2(x) = \cfrac{4 e^{-2x}}{(1 + e^{-2x})^2}"
    rule = r"-2\, \mathrm{sech}^2(x) \tanh(x)"

    def forward(self, x: Array) -> Array:
        e = np.exp(-2 * np.minimum(np.abs(x), 400))  # 0 from there on, and 2|x| may overflow
        r = 2 / (1 + e)
        return e * r * r

    def derivative(self, y: Array, x: Array) -> Array:
        return -2 * y * np.tanh(x)


sigmoid = register(Sigmoid())
tanh = register(Tanh(), np.tanh)
sech2 = register(Sech2())
