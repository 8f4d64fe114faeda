"""What an op says about itself besides its numbers: the engine runs without it, all that explains an op reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import text


@dataclass(frozen=True)
class Kink:
    """A point `at` where a derivative jumps from `left` to `right`; we return `chosen`, and say `why`."""

    at: float
    left: float
    right: float
    chosen: float
    why: str


class Facts:
    """The facts of an op, as class attributes. Only `formula` and `rule` are owed; the docstring names the source."""

    name: str
    formula: str = ""  # the value, in LaTeX, in the op's own argument and field names; forms that are equal by " = "
    rule: str | dict[str, str] = ""  # f' of an elementwise op, of any other op one cotangent per input
    shorthand: dict[str, str] = {}  # what the two write for short, as {r"\varphi(x)": r"\frac{...}{...}"}
    aliases: tuple[str, ...] = ()  # other names that people look for it by
    learned: dict[str, float] = {}  # the inputs that a layer learns, and what each starts at
    surrogate: Any = None  # the op whose derivative the rule is, where its own is 0 almost everywhere
    range: str = ""  # of an op of rows: between what each value is, and after a semicolon what else holds of them
    use: str = ""  # when to use it, in a sentence
    elsewhere: dict[str, str] = {}  # by framework, how its function of this name differs

    def __init_subclass__(cls) -> None:
        """Refuse what would be wrong in silence: a rule of no input, and one derivative for several inputs."""
        super().__init_subclass__()
        arguments: tuple[str, ...] = getattr(cls, "arguments", ())
        rules = [name.removeprefix("vjp_") for name in vars(cls) if name.startswith("vjp_")]
        stray = [name for name in rules if name not in arguments]
        if stray or ("derivative" in vars(cls) and len(arguments) > 1 and not rules):
            raise text.rules_do_not_fit(cls, stray)

    @property
    def kinks(self) -> tuple[Kink, ...]:
        """Where the derivative jumps."""
        return ()

    def __eq__(self, other: object) -> bool:
        """Of one class, if that has no fields: a dataclass compares its own."""
        return self is other or (type(self) is type(other) and type(self).__init__ is object.__init__)

    def __hash__(self) -> int:
        return hash(type(self))
