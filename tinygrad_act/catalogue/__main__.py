"""The catalogue in a terminal: `python -m tinygrad_act.catalogue` for all of it, and with names for their cards."""

from __future__ import annotations

import argparse

from . import atlas
from .pages import families, table, write
from .views import card


def main() -> None:
    """Print the table or the cards, or write the pages."""
    parser = argparse.ArgumentParser(prog="python -m tinygrad_act.catalogue", description=__doc__)
    parser.add_argument("names", nargs="*", help="of activations whose cards to print; without any, the table")
    parser.add_argument("--write", action="store_true", help="write the gallery and the atlas anew")
    options = parser.parse_args()
    if options.write:
        paths = write()
        atlas.write()
        print(f"wrote {len(paths) + 1} files in {paths[0].parent}")
    elif options.names:
        try:
            print(*map(card, options.names), sep="\n\n\n")
        except ValueError as error:
            parser.error(str(error))
    else:
        print(table(families()))


if __name__ == "__main__":
    main()
