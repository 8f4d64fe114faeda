"""The catalogue: a card for each activation, read from the op, and the pages and tables made of them.

python -m tinygrad_act.catalogue          all of them as a table
python -m tinygrad_act.catalogue gelu     one card
python -m tinygrad_act.catalogue --write  GALLERY.md and gallery.html of tinygrad_act/activations, written anew
"""

from .views import Card, card

__all__ = ["Card", "card"]
