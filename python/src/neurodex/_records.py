"""What a store is asked for: layers, images, hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

if TYPE_CHECKING:
    import pandas


class Layer(NamedTuple):
    """A recorded tensor of the network. Its channels are its neurons."""

    name: str
    tensor: str
    operator: str
    first_neuron: int
    channels: int
    height: int
    width: int
    has_mean: bool
    is_logits: bool
    position_bytes: int


class Image(NamedTuple):
    """An image of the store: its file, its label, and what the network predicted."""

    id: int
    path: str
    width: int
    height: int
    label: str | None
    split: str | None
    predicted: str | None
    predicted_index: int | None
    score: float | None
    sha256: str


class Hit(NamedTuple):
    """One image among a neuron's strongest; (y, x) is the cell of the layer's map where it is strongest."""

    layer: str
    channel: int
    rank: int
    image: str
    image_id: int
    label: str | None
    value: float
    y: int
    x: int


Row = TypeVar("Row", bound=NamedTuple)


class Table(Sequence[Row], Generic[Row]):
    """Records that a notebook shows as a table, and that pandas takes."""

    def __init__(self, rows: Sequence[Row], fields: Sequence[str]) -> None:
        self._rows = tuple(rows)
        self.fields = tuple(fields)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Table[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Table[Row]:
        return Table(self._rows[index], self.fields) if isinstance(index, slice) else self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self._rows == other._rows

    def __hash__(self) -> int:
        return hash(self._rows)

    def __repr__(self) -> str:
        shown = ",\n ".join(repr(row) for row in self._rows[:10])
        return f"[{shown}]" if len(self) <= 10 else f"[{shown},\n … {len(self)} in all]"

    def column(self, name: str) -> list[Any]:
        """The values of one field, in order."""
        if name not in self.fields:
            raise KeyError(f"there is no field {name!r}; there are {', '.join(self.fields)}")
        return [getattr(row, name) for row in self._rows]

    def to_frame(self) -> pandas.DataFrame:
        """The same as a pandas DataFrame. Raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame([tuple(row) for row in self._rows], columns=list(self.fields))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(field)}</th>" for field in self.fields)
        body = "".join("<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in tuple(row)) + "</tr>" for row in self._rows[:60])
        rest = f"<p>60 of {len(self)} rows</p>" if len(self) > 60 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
