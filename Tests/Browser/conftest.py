"""A real browser, the built program, and two stores of the pet shop."""

import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NEURODEX", str(ROOT / ".build/release/neurodex"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A folder with two stores, of a network that is right and of one that goes by marks, both with thumbnails."""
    folder = tmp_path_factory.mktemp("shop")
    fixtures = ROOT / "fixtures"
    for name, network in [("honest", "petshop.onnx"), ("hans", "petshop-hans.onnx")]:
        subprocess.run(
            [PROGRAM, "index", f"{name}.sqlite", "--model", fixtures / network, "--classes", fixtures / "petshop/labels.txt",
             "--resize", "none", "--thumbnails", "96", fixtures / "petshop-hans"],
            cwd=folder, check=True, capture_output=True)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def server(shop):
    """The address of a server of both stores."""
    with open(shop / "address", "w") as out, open(shop / "log", "w") as log:
        process = subprocess.Popen(
            [PROGRAM, "serve", "hans.sqlite", "honest.sqlite", "--port", "0"], cwd=shop, stdout=out, stderr=log)  # fmt: skip
    deadline = time.time() + 60
    while not (found := re.search(r"http://\S+", (shop / "address").read_text())):
        assert process.poll() is None and time.time() < deadline, (shop / "log").read_text()
        time.sleep(0.05)
    yield found.group().rstrip("/")
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no Chromium: name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page, with all that it complains of and asks for."""

    def __init__(self, page, origin):
        self.page, self.origin, self.complaints = page, origin, []
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self.ask)
        page.on("response", self.answer)

    def hear(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def ask(self, request):
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def answer(self, response):
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def open(self, address):
        """Opens an address, waits for its pictures, also for those further down, and expects no complaint."""
        self.page.goto(self.origin + address if address.startswith("/") else address)
        self.page.evaluate("for (const image of document.images) image.loading = 'eager'")
        self.page.wait_for_load_state("networkidle")
        self.expect_none(address)
        return self.page

    def expect_none(self, address=""):
        complaints, self.complaints = self.complaints, []
        assert not complaints, f"{address}: {complaints[:5]}"


@pytest.fixture
def look(browser, server):
    """Makes a page of a width and a theme that is watched."""
    contexts = []

    def make(width=1280, theme="light", origin=server, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
        contexts.append(context)
        context.set_default_timeout(60_000)
        return Watched(context.new_page(), origin)

    yield make
    for context in contexts:
        context.close()
