"""The SQLite extension: every activation as a row of the table ``activation``."""

from __future__ import annotations

import sqlite3

from . import _native
from ._errors import NeurodexError


def load_extension(connection: sqlite3.Connection) -> None:
    """Gives a connection to a store the table ``activation(layer, channel, image_id, value, y, x)``.

    Example::

        connection = sqlite3.connect("shop.sqlite")
        neurodex.load_extension(connection)
        connection.execute("SELECT max(value) FROM activation WHERE layer = 'conv4'").fetchone()

    Raises:
        NeurodexError: if the extension is not in the package, or this Python's sqlite3 cannot load extensions.
    """
    path = _native.extension()
    if path is None:
        raise NeurodexError(
            "the SQLite extension is not in this package: install the wheel, or set NEURODEX_EXTENSION to activation.so"
        )
    if not hasattr(connection, "enable_load_extension"):
        raise NeurodexError(
            "this Python's sqlite3 was built without load_extension (as pyenv's are): use Store.activations, neurodex sql, "
            "or another Python"
        )
    connection.enable_load_extension(True)
    try:
        connection.load_extension(str(path.with_suffix("")))
    except sqlite3.OperationalError as error:
        raise NeurodexError(f"{path} could not be loaded: {error}") from error
    finally:
        connection.enable_load_extension(False)
