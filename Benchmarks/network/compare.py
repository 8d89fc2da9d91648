#!/usr/bin/env python3
"""The network stage and the whole index beside ONNX Runtime and PyTorch, in turns, as the table of the README.

    swift build -c release --product neurodex       (and once more with --product network-benchmark)
    pip install torch torchvision onnx onnxruntime  (in a virtual environment outside the repository)
    Benchmarks/network/compare.py WORK --photos FOLDER [--rounds 3] [--seconds 5] [NETWORK …]

WORK/NETWORK.onnx is torchvision's network with random weights, exported where it is not there yet. Every round runs, one after
another and each in a process of its own on --threads threads:

    ONNX Runtime   InferenceSession.run alone, without any maxima, at the best of --batches
    PyTorch        channels-last, with forward hooks that take maxima and positions after activations and poolings (where a network has
                   none on maps, after convolutions), at the best of --batches
    neurodex       network-benchmark: maxima, positions and means of all recorded layers
    index          neurodex index, from JPEG to the finished store, process and all, over so many copies of the photographs under FOLDER
                   that the network stage alone takes --index-seconds

Images a second of wall time, the median of the rounds. With --cpu all run on one thread and what counts is CPU time, as on a machine that
others use; then there is no index. Memory is what the process holds at most.
"""
import argparse, json, os, pathlib, re, resource, shutil, statistics, subprocess, sys, tempfile, time

NETWORKS = ["squeezenet1_1", "resnet18", "resnet50", "vgg16", "mobilenet_v2", "densenet121", "efficientnet_b0", "convnext_tiny"]
BUILD = pathlib.Path(__file__).resolve().parents[2] / ".build" / "release"


def export(name, path):
    import torch, torchvision
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None).eval()
    torch.onnx.export(model, (torch.randn(1, 3, 224, 224),), path, dynamo=False, opset_version=17, input_names=["input"],
                      output_names=["logits"], dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}})


def rate(run, batch, seconds, cpu):
    """Images a second of a call that runs `batch` images; by the least CPU time of a call, or by wall time over all of them."""
    run()
    calls, least, start = 0, float("inf"), time.perf_counter()
    while calls < 3 or time.perf_counter() - start < seconds:
        before = time.process_time()
        run()
        least, calls = min(least, time.process_time() - before), calls + 1
    return batch / least if cpu else calls * batch / (time.perf_counter() - start)


def onnxruntime(a, path):
    import numpy, onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = a.threads, 3
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    load = time.perf_counter() - start
    name = session.get_inputs()[0].name
    best = 0
    for batch in a.batches:
        images = numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=numpy.float32)
        best = max(best, rate(lambda: session.run(None, {name: images}), batch, a.seconds / len(a.batches), a.cpu))
    return {"rate": best, "load": load}


def pytorch(a, path):
    import torch, torchvision
    torch.set_num_threads(a.threads)
    model = torchvision.models.get_model(path.stem, weights=None).eval().to(memory_format=torch.channels_last)
    found = []

    def hook(_, __, output):
        if output.ndim == 4:
            values, positions = output.flatten(2).max(2)
            found.append((values.numpy(), positions.numpy()))

    kinds = (torch.nn.ReLU, torch.nn.ReLU6, torch.nn.SiLU, torch.nn.MaxPool2d)
    watched = [m for m in model.modules() if isinstance(m, kinds)]
    for module in watched or [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]:
        if hasattr(module, "inplace"): module.inplace = False
        module.register_forward_hook(hook)
    best = 0
    with torch.inference_mode():
        for batch in a.batches:
            images = torch.randn(batch, 3, 224, 224).contiguous(memory_format=torch.channels_last)
            best = max(best, rate(lambda: (found.clear(), model(images)), batch, a.seconds / len(a.batches), a.cpu))
    return {"rate": best}


def neurodex(a, path):
    command = [BUILD / "network-benchmark", path, "--seconds", str(a.seconds), "--jobs", str(a.threads)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # "load 0.1 s, first image 0.2 s" and "forward neurodex 274.1 images/s, 7.2 ms of CPU time an image (…)"
    first = float(re.search(r"first image ([\d.]+) s", text)[1])
    wall, cpu = (float(x) for x in re.search(r"([\d.]+) images/s, ([\d.]+) ms of CPU", text).groups())
    return {"rate": 1000 / cpu if a.cpu else wall, "first": first}


def index(a, path):
    photos = sorted(p for p in pathlib.Path(a.photos).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/photos")
        for number in range(a.images): shutil.copy(photos[number % len(photos)], f"{folder}/photos/{number}.jpg")
        command = [BUILD / "neurodex", "index", f"{folder}/store.sqlite", "--model", path, "--jobs", str(a.threads), f"{folder}/photos"]
        start = time.perf_counter()
        text = subprocess.run(command, capture_output=True, text=True).stderr
        seconds = time.perf_counter() - start
        found = re.search(r"(\d+) images in ([\d.]+) s", text)
        if not found: raise SystemExit(f"neurodex index {path}: {text}")
        return {"rate": int(found[1]) / seconds}


PEERS = {"onnxruntime": onnxruntime, "pytorch": pytorch, "neurodex": neurodex, "index": index}


def measure(peer, a, path, images=0):
    """In a process of its own."""
    command = [sys.executable, __file__, "--peer", peer, "--threads", str(a.threads), "--seconds", str(a.seconds), "--batches",
               ",".join(map(str, a.batches)), "--photos", a.photos or "", "--images", str(images)] + ["--cpu"] * a.cpu + [str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{path.stem}: {peer}: {(done.stderr.strip() or 'no reason').splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def one_round(a, path):
    found = {peer: measure(peer, a, path) for peer in PEERS if peer != "index"}
    if a.photos and not a.cpu and found["neurodex"]:
        found["index"] = measure("index", a, path, images=max(16, int(found["neurodex"]["rate"] * a.index_seconds)))
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("work", type=pathlib.Path)
    ap.add_argument("networks", nargs="*", default=NETWORKS, help="torchvision's names (default: eight)")
    ap.add_argument("--photos", help="a folder of JPEG files to index; without it the index is left out")
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=float, default=5, help="for each figure (default: 5)")
    ap.add_argument("--batches", type=lambda text: [int(x) for x in text.split(",")], default=[1, 4, 16])
    ap.add_argument("--index-seconds", type=float, default=30)
    ap.add_argument("--images", type=int, help=argparse.SUPPRESS)
    ap.add_argument("--cpu", action="store_true", help="CPU time, one thread each")
    ap.add_argument("--peer", choices=[*PEERS, "export"], help=argparse.SUPPRESS)
    a = ap.parse_args()
    if a.cpu: a.threads = 1
    if a.peer == "export": return export(a.work.stem, a.work)
    if a.peer:
        result = PEERS[a.peer](a, a.work)
        result["memory"] = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
        return print(json.dumps(result))
    a.work.mkdir(parents=True, exist_ok=True)
    unit = "images a second of CPU time, one thread" if a.cpu else f"images a second, {a.threads} threads"
    print(f"{unit}; median of {a.rounds} rounds; load {os.getloadavg()[0]:.1f} at the start\n")
    print("| network | ONNX Runtime | PyTorch with hooks | neurodex | × ONNX Runtime | × PyTorch | index from JPEG | of the network stage "
          "| first image, s | memory, MB |\n|---|---|---|---|---|---|---|---|---|---|")
    for name in a.networks:
        path = a.work / f"{name}.onnx"
        if not path.exists():
            # In a process of its own: what is started from a large one is counted as large.
            subprocess.run([sys.executable, __file__, "--peer", "export", str(path)], check=True)
        rounds = [one_round(a, path) for _ in range(a.rounds)]

        def median(peer, key="rate"):
            values = [r[peer][key] for r in rounds if r.get(peer)]
            return statistics.median(values) if values else None

        def ratio(peer, other):
            pairs = [r[peer]["rate"] / r[other]["rate"] for r in rounds if r.get(peer) and r.get(other)]
            return f"{statistics.median(pairs):.2f}" if pairs else "–"

        def text(value, digits=1): return "–" if value is None else f"{value:.{digits}f}"
        print("|", " | ".join([
            name, *(text(median(peer)) for peer in ("onnxruntime", "pytorch", "neurodex")), ratio("neurodex", "onnxruntime"),
            ratio("neurodex", "pytorch"), text(median("index")), ratio("index", "neurodex"), text(median("neurodex", "first"), 2),
            text(median("index", "memory") or median("neurodex", "memory"), 0)]), "|", flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
