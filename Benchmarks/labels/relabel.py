#!/usr/bin/env python3
"""Times what changes labels: relabel.py FOLDER [--images 50000] [--program .build/release/neurodex]

Makes FOLDER with so many copies of one picture of the pet shop, indexes them, and prints wall and processor seconds of: index again with
nothing to do, relabel by a table that changes every label and split, relabel back by the folders, and both for nothing.
"""
import argparse
import os
import resource
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--program", default=ROOT + "/.build/release/neurodex")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    make(options.folder, options.images)
    os.chdir(options.folder)

    def run(name, *arguments):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise SystemExit(f"{arguments}: {done.stderr}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{name:40} {wall:7.2f} s, of the processor {cpu:7.2f} s", flush=True)

    model = ROOT + "/fixtures/petshop.onnx"
    run("index", "index", "s.sqlite", "--model", model, "--layers", "conv1", "--resize", "none", "photos")
    run("index again", "index", "s.sqlite", "photos")
    run("relabel, all labels and splits change", "relabel", "s.sqlite", "--labels", "labels.csv")
    run("relabel, none changes", "relabel", "s.sqlite", "--labels", "labels.csv")
    run("relabel --from-folders, all change", "relabel", "s.sqlite", "--from-folders")
    run("index --labels, all change", "index", "s.sqlite", "photos", "--labels", "labels.csv")


def make(folder, count):
    picture = ROOT + "/fixtures/petshop/test/cat/cat-31.jpg"
    with open(picture, "rb") as file:
        content = file.read()
    os.makedirs(folder)
    with open(folder + "/labels.csv", "w") as table:
        table.write("file,label,split\n")
        for index in range(count):
            name = f"photos/{index % 100:03}/{index}.jpg"
            os.makedirs(os.path.dirname(folder + "/" + name), exist_ok=True)
            with open(folder + "/" + name, "wb") as file:
                file.write(content)
            table.write(f"{name},label {index * 7 % 131},{'val' if index % 5 == 0 else 'train'}\n")


if __name__ == "__main__":
    main()
