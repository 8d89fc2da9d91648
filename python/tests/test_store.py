from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, petshop

import neurodex
from neurodex import _native, _program


def rows(store: neurodex.Store, statement: str) -> list[dict[str, object]]:
    """What the program's own SQL says."""
    answer: list[dict[str, object]] = json.loads(
        subprocess.run(
            [_native.program(), "sql", store.path, statement, "--format", "json"], check=True, capture_output=True
        ).stdout
    )
    return answer


@pytest.mark.parametrize("layer", ["conv1", "conv4", "fc2"])
def test_activations_equal_sql(shop: neurodex.Store, layer: str) -> None:
    values, cells = shop.activations(layer), shop.positions(layer)
    ids = {id: row for row, id in enumerate(shop.images.column("id"))}
    answer = rows(shop, f"SELECT channel, image_id, value, y, x FROM activation WHERE layer = '{layer}'")
    assert len(answer) == values.size
    for row in answer:
        at = (ids[int(str(row["image_id"]))], int(str(row["channel"])))
        assert values[at] == np.float32(str(row["value"]))
        assert cells[at].tolist() == [row["y"], row["x"]]


def test_shapes(shop: neurodex.Store) -> None:
    layer = next(layer for layer in shop.layers if layer.name == "conv4")
    assert shop.activations("conv4").shape == (300, layer.channels) == shop.means("conv4").shape
    assert shop.activations("conv4").dtype == np.float32
    assert shop.positions("conv4").shape == (300, layer.channels, 2)
    assert np.array_equal(shop.activations("conv4:3"), shop.activations("conv4")[:, 3])
    assert np.array_equal(shop.positions("conv4:3"), shop.positions("conv4")[:, 3])
    assert np.array_equal(shop.means("conv4:3"), shop.means("conv4")[:, 3])
    assert (shop.means("conv4") <= shop.activations("conv4") + 1e-6).all()
    assert np.array_equal(shop.activations("class:cat"), shop.activations("fc2")[:, shop.classes.index("cat")])


@pytest.mark.parametrize("where", [None, "label <> 'cat'", "correct AND split = 'test' -- those", "score > 3", "label = 'cow'"])
@pytest.mark.parametrize("neuron", ["conv4:3", "class:cat", "pool_3:40"])
def test_top_equals_command(shop: neurodex.Store, neuron: str, where: str | None) -> None:
    condition = [] if where is None else [f"--where={where}"]
    answer = _program.run_json(["top", shop.path, neuron, "-k", "20", *condition])
    hits = [{**hit._asdict(), "value": np.float32(hit.value)} for hit in shop.top(neuron, k=20, where=where)]
    assert hits == [{**row, "label": row.get("label"), "value": np.float32(row["value"])} for row in answer]
    lowest = _program.run_json(["top", shop.path, neuron, "-k", "20", "--lowest", *condition])
    assert [hit.image_id for hit in shop.top(neuron, k=20, where=where, lowest=True)] == [row["image_id"] for row in lowest]


def test_several_blocks_and_holes(tmp_path: Path, shop: neurodex.Store) -> None:
    store = petshop(tmp_path / "blocks.sqlite", block=128)
    assert np.array_equal(store.activations("conv4"), shop.activations("conv4"))
    gone = [image.path for image in store.images if image.id in (0, 130, 299)]
    _program.run(["remove", store.path, *gone])
    kept = np.delete(np.arange(300), [0, 130, 299])
    assert len(store) == 297
    assert store.images.column("id") == kept.tolist()
    assert np.array_equal(store.activations("conv4"), shop.activations("conv4")[kept])
    assert np.array_equal(store.positions("conv4:3"), shop.positions("conv4:3")[kept])
    assert np.array_equal(store.means("fc2") if store.layers[-1].has_mean else store.means("conv4"), shop.means(
        "fc2" if store.layers[-1].has_mean else "conv4")[kept])  # fmt: skip
    assert all(hit.image not in gone for hit in store.top("conv4:3", k=297))


def test_one_image(tmp_path: Path) -> None:
    fixtures = REPOSITORY / "fixtures"
    store = neurodex.index(
        fixtures / "petshop.onnx", fixtures / "petshop/test/cat/cat-43.jpg", tmp_path / "one.sqlite", resize="none",
        classes=fixtures / "petshop/labels.txt", progress=False,
    )  # fmt: skip
    assert store.activations("conv4").shape[0] == 1
    assert len(store.top("conv4:3", k=9)) == 1


def test_nan_is_kept_and_never_listed(tmp_path: Path, shop: neurodex.Store) -> None:
    path = tmp_path / "nan.sqlite"
    shutil.copy(shop.path, path)
    layer = next(layer for layer in shop.layers if layer.name == "conv4")
    strongest = shop.top("conv4:3", k=1)[0].image_id
    with sqlite3.connect(path) as connection:
        row = layer.first_neuron + 3
        value, position = connection.execute("SELECT value, position FROM activation_block WHERE id = ?", (row,)).fetchone()
        values = np.frombuffer(value, "<f4").copy()
        values[strongest] = np.nan
        sums = neurodex._checksum.checksums(np.frombuffer(values.tobytes() + position, np.uint8).reshape(1, -1))
        connection.execute(
            "UPDATE activation_block SET value = ?, checksum = ? WHERE id = ?", (values.tobytes(), int(sums[0]), row)
        )
    store = neurodex.open(path)
    assert np.isnan(store.activations("conv4:3")[strongest])
    assert len(store.top("conv4:3", k=300)) == 299


def test_damage_is_said(tmp_path: Path, shop: neurodex.Store) -> None:
    path = tmp_path / "damaged.sqlite"
    shutil.copy(shop.path, path)
    layer = next(layer for layer in shop.layers if layer.name == "conv4")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE activation_block SET value = zeroblob(length(value)) WHERE id = ?", (layer.first_neuron + 3,))
        connection.execute("UPDATE image SET width = width + 1 WHERE id = 7")
    store = neurodex.open(path)
    with pytest.raises(neurodex.StoreError, match="block 0 of layer conv4 is not what was written"):
        store.activations("conv4")
    with pytest.raises(neurodex.StoreError, match="image 7 is not what was written"):
        _ = store.images
    assert store.activations("conv3").shape == shop.activations("conv3").shape


def test_wrong_files(tmp_path: Path, shop: neurodex.Store) -> None:
    with pytest.raises(neurodex.StoreError, match="there is no store"):
        neurodex.open(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("hello " * 100)
    with pytest.raises(neurodex.StoreError, match="cannot be read as a store"):
        neurodex.open(tmp_path / "text.sqlite")
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE t(x)")
    with pytest.raises(neurodex.StoreError, match="no store of neurodex"):
        neurodex.open(tmp_path / "other.sqlite")
    newer = tmp_path / "newer.sqlite"
    shutil.copy(shop.path, newer)
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(neurodex.StoreError, match=r"version 99.*update this package"):
        neurodex.open(newer)


def test_wrong_names(shop: neurodex.Store) -> None:
    with pytest.raises(neurodex.NeurodexError, match="no layer conv9; there are conv1"):
        shop.activations("conv9")
    with pytest.raises(neurodex.NeurodexError, match=r"conv4 has channels 0 to \d+, and none called 9999"):
        shop.activations("conv4:9999")
    with pytest.raises(neurodex.NeurodexError, match="no class called cow"):
        shop.activations("class:cow")
    with pytest.raises(neurodex.NeurodexError, match="conv4 is a layer"):
        shop.top("conv4")
    with pytest.raises(ValueError, match="at least 1"):
        shop.top("conv4:3", k=0)
    for where in ["lable = 'cat'", "1) UNION SELECT (1", "label = 'cat'; DROP TABLE image", ""]:
        with pytest.raises(neurodex.NeurodexError, match="no condition on images"):
            shop.top("conv4:3", where=where)
    assert len(shop) == 300


def test_table(shop: neurodex.Store) -> None:
    images = shop.images
    assert images[0].path.endswith(".jpg")
    assert len(images[10:20]) == 10
    assert set(images.column("label")) == {"bird", "cat", "dog", "fish", "rabbit"}
    assert images.column("split").count("test") > 0
    with pytest.raises(KeyError, match="there is no field 'name'"):
        images.column("name")
    assert "<table>" in images._repr_html_()
    assert "60 of 300 rows" in images._repr_html_()
    pandas = pytest.importorskip("pandas")
    assert isinstance(images.to_frame(), pandas.DataFrame)
    assert images.to_frame()["label"].nunique() == 5


def test_extension(shop: neurodex.Store) -> None:
    connection = sqlite3.connect(shop.path)
    if not hasattr(connection, "enable_load_extension"):
        with pytest.raises(neurodex.NeurodexError, match="built without load_extension"):
            neurodex.load_extension(connection)
        return
    neurodex.load_extension(connection)
    maximum = connection.execute("SELECT max(value) FROM activation WHERE layer = 'conv4'").fetchone()[0]
    assert np.float32(maximum) == shop.activations("conv4").max()


def test_needs_numpy_alone() -> None:
    code = "import sys, neurodex; print(sorted({'pandas', 'matplotlib', 'torch'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
