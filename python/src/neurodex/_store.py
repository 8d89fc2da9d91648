"""A store, read by NumPy."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from ._checksum import checksum_of_columns, checksums
from ._errors import NeurodexError, StoreError
from ._records import Hit, Image, Layer, Table

if TYPE_CHECKING:
    from ._results import Explanation, Picture

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int32]

APPLICATION_ID = 1313101873  # 'NDX1'
VERSIONS = (3, 4, 5, 6)
NEURON_BITS = 20
_ROWS = 128  # that are read at once: some 400 KB, which stay in the processor's cache

_IMAGE_INFO = """
    SELECT i.id, i.path, i.width, i.height, i.bytes, i.mtime_ns, b.name AS label, i.split,
        i.predicted_class_id AS predicted_index, c.name AS predicted, i.predicted_score AS score,
        CASE WHEN b.class_id IS NOT NULL THEN b.class_id = i.predicted_class_id OR k.name = c.name END AS correct,
        lower(hex(i.sha256)) AS sha256
    FROM main.image i
    LEFT JOIN main.label b ON b.id = i.label_id
    LEFT JOIN main.class c ON c.id = i.predicted_class_id
    LEFT JOIN main.class k ON k.id = b.class_id
"""


class _Part(NamedTuple):
    """The rows that are asked for: a layer's neurons, or one of them."""

    layer: Layer
    first: int
    neurons: int
    is_single: bool


class Store:
    """The maximum activation of every neuron of one network on every image of one set, in one SQLite file.

    Arrays have one row an image, in the order of ``images``; removed images are left out. What is read is checked: an array
    is what was written, or a :class:`StoreError` says what is damaged. Every call sees the newest state of the file.

    Example::

        store = neurodex.open("shop.sqlite")
        values = store.activations("conv4")        # images × channels, float32
        labels = store.images.column("label")
        store.top("conv4:3", k=9, where="label <> 'cat'")
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        #: What the program said when it made the store, after ``neurodex.index``.
        self.remarks: list[str] = []
        if not Path(self.path).is_file():
            raise StoreError(f"there is no store {self.path}: make one with neurodex.index")
        with self._reading() as connection:
            self.version = self._checked_version(connection)
            _check_tables(connection, self.path)
            self._block_images = _positive(_fact(connection, "block_images", self.path), "block_images", self.path)
            self.preprocessing = str(_fact(connection, "preprocessing", self.path))
            self.model = connection.execute("SELECT name, path, sha256 FROM main.model").fetchone()
            self.layers = _read_layers(connection, self.path)
            #: The names of the network's classes, by the channel of their score; empty if they are not known.
            self.classes = [str(row[0]) for row in connection.execute("SELECT name FROM main.class ORDER BY id")]

    def __repr__(self) -> str:
        neurons = sum(layer.channels for layer in self.layers)
        return f"<neurodex store {self.path}: {len(self)} images × {neurons} neurons of {len(self.layers)} layers>"

    def __len__(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM main.image").fetchone()[0])

    # Questions

    @property
    def images(self) -> Table[Image]:
        """Every image of the store, in the order of ids: a sequence of records; ``.to_frame()`` makes a DataFrame."""
        with self._reading() as connection:
            return Table(list(self._checked_images(connection)), Image._fields)

    def activations(self, neurons: str) -> Floats:
        """The maximum of each neuron over its map, on every image.

        Args:
            neurons: a layer (``"conv4"``): images × channels; or a neuron (``"conv4:3"``, ``"class:cat"``): images.

        Returns:
            float32. A layer's array is laid out channel by channel, as the store is.
        """
        part = self._part(neurons)
        return self._floats(part, "activation_block", "value", "position", 4, part.layer.position_bytes)

    def means(self, neurons: str) -> Floats:
        """The spatial mean of each neuron on every image, of layers that the store keeps means of; shapes as ``activations``."""
        part = self._part(neurons)
        if not part.layer.has_mean:
            kept = [layer.name for layer in self.layers if layer.has_mean]
            raise NeurodexError(
                f"the store keeps no means of {part.layer.name}, but of {', '.join(kept) or 'no layer'}: "
                "index with --means all to keep those of every layer"
            )
        return self._floats(part, "mean_block", "mean", None, 4, 0)

    def positions(self, neurons: str) -> Cells:
        """Where each maximum is: the cell (y, x) of the layer's map, the first in row-major order on a tie.

        Returns:
            int32, images × channels × 2 for a layer, images × 2 for a neuron.
        """
        part = self._part(neurons)
        width = part.layer.position_bytes
        kind = {0: np.uint8, 1: np.uint8, 2: np.uint16, 4: np.uint32}[width]
        with self._reading() as connection:
            ids = self._image_ids(connection)
            cells = np.zeros((part.neurons, self._lanes(connection, ids)), dtype=np.int32)
            for channels, start, rows in self._pieces(connection, part, "activation_block", ("value", "position"), (4, width)):
                lanes = rows.shape[1] // (4 + width)
                if width:
                    cells[channels, start : start + lanes] = rows[:, 4 * lanes :].view(kind)
        cells = self._present(cells, ids)
        result = np.stack([cells // part.layer.width, cells % part.layer.width], axis=-1)
        result = np.swapaxes(result, 0, 1)
        return cast(Cells, result[:, 0] if part.is_single else result)

    def top(self, neuron: str, k: int = 5, where: str | None = None, lowest: bool = False) -> Table[Hit]:
        """The images that excite a neuron most, strongest first, ties by image id. NaN is never listed.

        Args:
            neuron: ``LAYER:CHANNEL`` or ``class:NAME``.
            k: how many, at least 1.
            where: a condition in SQL on path, width, height, bytes, mtime_ns, label, split, predicted, predicted_index,
                score, correct and sha256.
            lowest: the weakest instead.
        """
        if k < 1:
            raise ValueError(f"k is how many images are wanted, at least 1, not {k}")
        part = self._part(neuron)
        if not part.is_single:
            raise NeurodexError(f"{neuron} is a layer: name one of its neurons, such as {neuron}:0")
        values, cells = self.activations(neuron), self.positions(neuron)
        images = self.images
        if len(images) != len(values):
            raise NeurodexError("the store grew while it was read: ask again")
        chosen = ~np.isnan(values)
        if where is not None:
            wanted = self._ids_where(where)
            chosen &= np.isin(np.array(images.column("id"), dtype=np.int64), wanted)
        candidates = np.flatnonzero(chosen)
        order = np.argsort(values[candidates] if lowest else -values[candidates], kind="stable")
        channel = part.first - part.layer.first_neuron
        hits = [
            Hit(
                part.layer.name, channel, rank, images[i].path, images[i].id, images[i].label,
                float(values[i]) + 0.0, int(cells[i, 0]), int(cells[i, 1]),
            )
            for rank, i in enumerate((int(candidates[j]) for j in order[:k]), start=1)
        ]  # fmt: skip
        return Table(hits, Hit._fields)

    # Answers of the program

    def sheet(self, neurons: str | Sequence[str], k: int = 9, where: str | None = None) -> Picture:
        """Draws a contact sheet: what each neuron saw where it was strongest. A notebook shows it."""
        from ._results import sheet

        return sheet(self, [neurons] if isinstance(neurons, str) else list(neurons), k, where)

    def explain(self, method: str, image: str | int | os.PathLike[str], target: str | None = None, **options: Any) -> Explanation:
        """Explains a score on an image: runs ``neurodex METHOD``.

        Args:
            method: saliency, occlusion, cam or attention.
            image: a path or an id of the store, or any other image file.
            target: ``class:NAME``, ``LAYER:CHANNEL``, ``LAYER:CHANNEL@mean`` …; the predicted class if None.
            options: the command's options without their hyphens: ``window=16``, ``method="smoothgrad"``, ``full=True``.

        Returns:
            The map as an array, float32, and the picture of it.

        Raises:
            ProgramError: with what the program said.
        """
        from ._results import explain

        return explain(self, method, image, target, options)

    # Reading

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: all that is read in it is of one moment."""
        connection = sqlite3.connect(
            f"file:{quote(os.path.abspath(self.path))}?mode=ro", uri=True, isolation_level=None, timeout=10
        )
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN")
            yield connection
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} cannot be read as a store: {error}") from error
        finally:
            connection.close()

    def _checked_version(self, connection: sqlite3.Connection) -> int:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"{self.path} is an SQLite file, but no store of neurodex")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version not in VERSIONS:
            advice = (
                "index or compact it with the program to bring it up to date" if version < VERSIONS[0] else "update this package"
            )
            raise StoreError(
                f"{self.path} is a store of version {version}; "
                f"this package reads versions {VERSIONS[0]} to {VERSIONS[-1]}: {advice}"
            )
        return version

    def _part(self, neurons: str) -> _Part:
        for layer in self.layers:
            if layer.name == neurons:
                return _Part(layer, layer.first_neuron, layer.channels, False)
        name, colon, channel = neurons.rpartition(":")
        if name == "class":
            return self._class_part(channel)
        for layer in self.layers:
            if colon and layer.name == name:
                if not channel.isascii() or not channel.isdigit() or int(channel) >= layer.channels:
                    raise NeurodexError(f"{name} has channels 0 to {layer.channels - 1}, and none called {channel}")
                return _Part(layer, layer.first_neuron + int(channel), 1, True)
        names = ", ".join(layer.name for layer in self.layers[:12]) + (" …" if len(self.layers) > 12 else "")
        raise NeurodexError(f"the store has no layer {neurons}; there are {names}")

    def _class_part(self, name: str) -> _Part:
        channels = [i for i, known in enumerate(self.classes) if known == name]
        layer = next((layer for layer in self.layers if layer.is_logits), None)
        if len(channels) != 1 or layer is None:
            found = f"{len(channels)} classes" if channels else "no class"
            raise NeurodexError(f"the store has {found} called {name}: name the neuron by its number, LAYER:CHANNEL")
        return _Part(layer, layer.first_neuron + channels[0], 1, True)

    def _floats(self, part: _Part, table: str, first: str, second: str | None, width: int, other: int) -> Floats:
        columns = (first,) if second is None else (first, second)
        with self._reading() as connection:
            ids = self._image_ids(connection)
            values = np.empty((part.neurons, self._lanes(connection, ids)), dtype=np.float32)
            for channels, start, rows in self._pieces(connection, part, table, columns, (width, other)):
                lanes = rows.shape[1] // (width + other)
                values[channels, start : start + lanes] = rows[:, : width * lanes].view("<f4")
        values = self._present(values, ids)
        return cast(Floats, values[0] if part.is_single else values.T)

    def _pieces(
        self, connection: sqlite3.Connection, part: _Part, table: str, columns: tuple[str, ...], widths: tuple[int, int]
    ) -> Iterator[tuple[slice, int, npt.NDArray[np.uint8]]]:
        """Visits the part's rows: which neurons of it, the place of the first image, and the checked bytes, neurons × bytes."""
        last = connection.execute("SELECT max(id) FROM main.activation_block").fetchone()[0]
        blocks = 0 if last is None else (int(last) >> NEURON_BITS) + 1
        wanted = ", ".join(columns)
        query = f"SELECT n, checksum, {wanted} FROM main.{table} NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id"
        for block in range(blocks):
            first = (block << NEURON_BITS) | part.first
            cursor = connection.execute(query, (first, first + part.neurons - 1))
            for start in range(0, part.neurons, _ROWS):
                neurons = slice(start, min(start + _ROWS, part.neurons))
                rows = cursor.fetchmany(neurons.stop - start)
                lanes = rows[0][0] if rows else 0
                if lanes != self._block_images and block + 1 < blocks:
                    raise self._damage(part, block, f"holds {lanes} images instead of {self._block_images}")
                yield neurons, block * self._block_images, self._checked(rows, lanes, neurons, part, block, widths)

    def _checked(
        self, rows: list[Any], lanes: int, neurons: slice, part: _Part, block: int, widths: tuple[int, int]
    ) -> npt.NDArray[np.uint8]:
        try:
            data = b"".join([piece for row in rows for piece in row[2:]])
            kept = np.array([row[1] for row in rows], dtype=np.int64)
            fits = all(row[0] == lanes and len(row[2]) == lanes * widths[0] for row in rows)
        except (TypeError, ValueError, OverflowError):
            fits = False
        count, length = neurons.stop - neurons.start, lanes * sum(widths)
        if not fits or len(rows) != count or len(data) != count * length:
            raise self._damage(part, block, "has missing rows, or rows of another length")
        result = np.frombuffer(data, dtype=np.uint8).reshape(count, length)
        if not np.array_equal(checksums(result).astype(np.int64), kept):
            raise self._damage(part, block, "is not what was written")
        return result

    def _damage(self, part: _Part, block: int, what: str) -> StoreError:
        return StoreError(
            f"{self.path} is damaged: block {block} of layer {part.layer.name} {what}. "
            f"neurodex verify {self.path} finds what else is"
        )

    def _image_ids(self, connection: sqlite3.Connection) -> npt.NDArray[np.int64]:
        ids = [row[0] for row in connection.execute("SELECT id FROM main.image ORDER BY id")]
        return np.array(ids, dtype=np.int64)

    def _lanes(self, connection: sqlite3.Connection, ids: npt.NDArray[np.int64]) -> int:
        """How many images the blocks hold, removed ones too."""
        row = connection.execute("SELECT id >> ?, n FROM main.activation_block ORDER BY id DESC LIMIT 1", (NEURON_BITS,))
        last = row.fetchone()
        lanes = 0 if last is None else int(last[0]) * self._block_images + int(last[1])
        if ids.size and int(ids[-1]) >= lanes:
            raise StoreError(f"{self.path} is damaged: it has images that no block holds")
        return lanes

    @staticmethod
    def _present(values: Any, ids: npt.NDArray[np.int64]) -> Any:
        """Leaves out the columns of removed images."""
        return values if values.shape[1] == ids.size else values[:, ids]

    def _checked_images(self, connection: sqlite3.Connection) -> Iterator[Image]:
        rows = connection.execute(
            """
            SELECT i.id, i.path, i.sha256, i.width, i.height, i.bytes, i.mtime_ns, b.name, i.split,
                i.predicted_class_id, i.predicted_score, i.checksum
            FROM main.image i LEFT JOIN main.label b ON b.id = i.label_id ORDER BY i.id
            """
        )
        for row in rows:
            if checksum_of_columns(tuple(row[:-1])) != row[-1]:
                raise StoreError(f"{self.path} is damaged: the row of image {row[0]} is not what was written")
            predicted = row[9]
            known = predicted is not None and 0 <= predicted < len(self.classes)
            yield Image(
                row[0], row[1], row[3], row[4], row[7], row[8], self.classes[predicted] if known else None,
                predicted, row[10], row[2].hex(),
            )  # fmt: skip

    def _ids_where(self, where: str) -> npt.NDArray[np.int64]:
        with self._reading() as connection:
            connection.execute("PRAGMA query_only = ON")
            try:
                # A line of its own, so that a comment at the condition's end does not hide the bracket.
                rows = connection.execute(f"SELECT id, CASE WHEN (\n{where}\n) THEN 1 END FROM ({_IMAGE_INFO})").fetchall()
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise NeurodexError(f"where={where!r} is no condition on images: {error}") from error
        return np.array([id for id, is_met in rows if is_met], dtype=np.int64)


def _check_tables(connection: sqlite3.Connection, path: str) -> None:
    wanted = {"meta", "model", "layer", "class", "label", "image", "activation_block", "mean_block"}
    found = {row[0] for row in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}
    if wanted - found:
        raise StoreError(f"{path} is damaged: it has no table {', '.join(sorted(wanted - found))}")


def _fact(connection: sqlite3.Connection, key: str, path: str) -> Any:
    row = connection.execute("SELECT value FROM main.meta WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise StoreError(f"{path} is damaged: its table meta has no {key}")
    return row[0]


def _positive(value: Any, key: str, path: str) -> int:
    if not isinstance(value, int) or value < 1:
        raise StoreError(f"{path} is damaged: {key} is {value!r}")
    return value


def _read_layers(connection: sqlite3.Connection, path: str) -> list[Layer]:
    rows = connection.execute(
        """
        SELECT name, tensor, operator, first_neuron, channels, height, width, has_mean, is_logits, position_bytes
        FROM main.layer ORDER BY ordinal
        """
    )
    layers = [Layer(*row)._replace(has_mean=bool(row[7]), is_logits=bool(row[8])) for row in rows]
    neurons = 0
    for layer in layers:
        if layer.first_neuron != neurons or layer.position_bytes not in (0, 1, 2, 4) or min(layer[4:7]) < 1:
            raise StoreError(f"{path} is damaged: its table layer contradicts itself at {layer.name}")
        neurons += layer.channels
    return layers
