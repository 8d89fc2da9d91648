#!/usr/bin/env python3
"""How long the explorer's pages take: pages.py PROGRAM STORE [--images FOLDER] [--clients 100] [--seconds 60] [--connections 10000]

Starts `PROGRAM serve STORE` and asks it as a browser does: the page, and then its pictures by six connections at once. The first time is that
of a server just started, whose store lies in the system's cache; the rest are medians. wrk, where it is installed, asks as many clients do.
"""

import argparse
import concurrent.futures
import html
import http.client
import re
import resource
import shutil
import socket
import statistics
import subprocess
import time

PAGES = [
    ("overview", "/"), ("layer, 48 neurons × 9 crops", "/layer/{layer}"), ("neuron, 24 crops", "/neuron/{layer}:17?k=24"),
    ("neuron, 24 crops, condition", "/neuron/{layer}:18?k=24&where=split%20%3D%20'val'"), ("image", "/image/4321"),
    ("images", "/images"), ("images, facet with a condition", "/images?where=label%20%3D%20'label%207'"),
    ("images, condition of no index", "/images?where=path%20LIKE%20'%2513%25'%20AND%20split%20%3D%20'val'"),
]  # fmt: skip


class Server:
    def __init__(self, program, store, images):
        self.began = time.perf_counter()
        line = [program, "serve", store, "--port", "0"] + (["--images", images] if images else [])
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline()).group(1))

    def get(self, address, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", address)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, f"{response.status} {address}: {body[:300]}"
        return body

    def memory(self):
        """Resident, in MB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) // 1024

    def end(self):
        self.process.terminate()
        self.process.wait()


def pictures(page):
    found = re.findall(r'<img[^>]*? src="(/(?:picture|strip)[^"]*)"', page.decode())
    return list(dict.fromkeys(html.unescape(address) for address in found))


def load(server, addresses):
    """Milliseconds until six connections have them all, and the median of one."""
    parts = [addresses[i::6] for i in range(6)]

    def part(addresses):
        connection, times = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120), []
        for address in addresses:
            start = time.perf_counter()
            server.get(address, connection)
            times.append((time.perf_counter() - start) * 1e3)
        return times

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        times = [one for times in pool.map(part, parts) for one in times]
    return (time.perf_counter() - start) * 1e3, statistics.median(times or [0])


def pages(arguments, layer):
    print("| page | first HTML, ms | HTML, ms | kB | pictures | all pictures, ms | one, ms |\n|---|--:|--:|--:|--:|--:|--:|")
    for name, address in PAGES:
        address = address.format(layer=layer)
        server = Server(arguments.program, arguments.store, arguments.images)
        start = time.perf_counter()
        page = server.get(address)
        first = (time.perf_counter() - start) * 1e3
        all_pictures, one = load(server, pictures(page))
        times = []
        for _ in range(15):
            start = time.perf_counter()
            server.get(address)
            times.append((time.perf_counter() - start) * 1e3)
        print(
            f"| {name} | {first:.0f} | {statistics.median(times):.1f} | {len(page) / 1024:.0f} | {len(pictures(page))} "
            f"| {all_pictures:.0f} | {one:.1f} |", flush=True)  # fmt: skip
        server.end()


def start_up(arguments):
    times = []
    for _ in range(5):
        server = Server(arguments.program, arguments.store, arguments.images)
        server.get("/images")
        times.append((time.perf_counter() - server.began) * 1e3)
        server.end()
    print(f"\nFrom the start of the program to the first page (/images): {statistics.median(times):.0f} ms, median of 5")


def many_clients(arguments, layer):
    if not shutil.which("wrk"):
        return print("\nwrk is not installed: many clients were not tried")
    server = Server(arguments.program, arguments.store, arguments.images)
    address = f"http://127.0.0.1:{server.port}/neuron/{layer}:17.json?k=9"
    server.get(f"/neuron/{layer}:17.json?k=9")
    before = server.memory()
    line = ["wrk", "-t", "2", "-c", str(arguments.clients), "-d", f"{arguments.seconds}s", "--latency", address]
    print("\n" + subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    print(f"memory before {before} MB, after {server.memory()} MB")
    server.end()


def many_connections(arguments):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, arguments.connections + 1000), hard))
    server = Server(arguments.program, arguments.store, arguments.images)
    server.get("/images")
    before, sockets = server.memory(), []
    for _ in range(arguments.connections):
        client = socket.socket()
        client.settimeout(30)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /im")
        sockets.append(client)
    during = server.memory()
    for client in sockets:
        client.close()
    start = time.perf_counter()
    while True:
        try:
            server.get("/images")
            break
        except (AssertionError, OSError):
            time.sleep(0.05)
    again = (time.perf_counter() - start) * 1e3
    print(
        f"\n{len(sockets)} connections with half a head each: memory {before} → {during} MB; a page {again:.0f} ms after they had "
        f"closed, {server.memory()} MB")  # fmt: skip
    server.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("store")
    parser.add_argument("--images")
    parser.add_argument("--layer", default="l3")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--connections", type=int, default=10000)
    arguments = parser.parse_args()
    pages(arguments, arguments.layer)
    start_up(arguments)
    if arguments.clients:
        many_clients(arguments, arguments.layer)
    if arguments.connections:
        many_connections(arguments)


if __name__ == "__main__":
    main()
