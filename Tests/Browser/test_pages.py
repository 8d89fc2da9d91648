"""Every page in a real browser: it says nothing on the console, asks nobody else, and does what keys and forms say."""

import base64
import csv
import io
import json
import subprocess
import urllib.parse
import urllib.request

import pytest
from conftest import PROGRAM

PAGES = [
    "/", "/?color=mean", "/?color=drift", "/layer/conv4", "/layer/conv4?selective=cat", "/neuron/conv4:3", "/neuron/conv4:3?from=decile", "/image/7",
    "/images", "/images?where=NOT%20correct", "/images?in-honest=mended", "/contrast", "/contrast?a=label%20%3D%20'cat'", "/suspects", "/shortcuts", "/sql",
    "/find?text=conv", "/similar/7", "/review", "/review?kind=shortcut", "/diff", "/explanations", "/@honest", "/@honest/neuron/conv4:3",
]  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_says_nothing_and_asks_nobody_else(look, address):
    page = look().open(address)
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length") == 0
    assert page.evaluate("[...document.images].filter(i => !i.hasAttribute('alt')).length") == 0


@pytest.mark.parametrize("width", [360, 1280, 2560])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_fits_any_width(look, width, theme):
    watched = look(width, theme)
    for address in ["/", "/layer/conv4", "/neuron/conv4:3", "/image/7", "/images", "/review", "/diff"]:
        page = watched.open(address)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} is {wide} pixels wider than {width}"


def test_is_read_without_scripts(look):
    watched = look(java_script_enabled=False)
    for address in ["/", "/layer/conv4", "/neuron/conv4:3", "/image/7", "/review"]:
        watched.page.goto(watched.origin + address)
        assert watched.page.locator("main img").count() + watched.page.locator("main a").count() > 3, address
        watched.expect_none(address)


def test_keys_lead_on(look):
    watched = look()
    page = watched.open("/neuron/conv4:3?k=5")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/neuron/conv4:4?k=5")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("!location.pathname.startsWith('/neuron/conv4')")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    # The browser closes it a moment later, and until then keys are the dialog's.
    page.wait_for_function("!document.querySelector('dialog[open]')")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    page.wait_for_url("**/find?text=cat")
    watched.expect_none()


def test_a_bar_of_the_histogram_leads_to_its_images(look):
    watched = look()
    page = watched.open("/neuron/class:cat")
    page.locator("svg.chart a").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**near:**")
    watched.expect_none()


def test_whole_images_and_crops(look):
    watched = look()
    page = watched.open("/neuron/conv4:3")
    before = page.locator(".tile img").first.get_attribute("src")
    page.keyboard.press("w")
    assert page.locator(".tile img").first.get_attribute("src") != before
    page.wait_for_load_state("networkidle")
    watched.expect_none()


def answers(server):
    text = urllib.request.urlopen(server + "/review.csv").read().decode()
    return [(row["kind"], row["answer"], row["note"]) for row in csv.DictReader(io.StringIO(text))]


def test_review_by_keys_and_by_forms(look, server, shop):
    watched = look()
    page = watched.open("/review?kind=shortcut&k=5")
    count = page.locator("[data-review]").count()
    assert count >= 2
    page.locator("[data-review] input[name=note]").first.fill("a mark at the corner")
    page.locator("[data-review]").first.focus()
    page.keyboard.press("y")
    page.wait_for_selector("[data-review]:first-child [data-answer=yes][aria-pressed=true]")
    page.keyboard.press("n")
    page.wait_for_selector("[data-review]:nth-child(2) [data-answer=no][aria-pressed=true]")
    assert sorted(answers(server)) == [("shortcut", "no", ""), ("shortcut", "yes", "a mark at the corner")]
    assert (shop / "hans.review.json").exists()
    page = watched.open("/review?kind=shortcut&k=5")
    assert page.locator("[data-review]").count() == count - 2
    # Without scripts the same is sent by the form.
    plain = look(java_script_enabled=False)
    plain.page.goto(server + "/review?kind=shortcut&k=5&show=all")
    plain.page.locator("[data-review]").nth(1).locator("input[name=note]").fill("seen again")
    plain.page.locator("[data-review]").nth(1).locator("[data-answer=skip]").click()
    plain.page.wait_for_url("**/review?kind=shortcut")
    assert ("shortcut", "skip", "seen again") in answers(server)
    plain.expect_none()


def test_a_neuron_gets_a_name(look):
    watched = look()
    page = watched.open("/neuron/conv4:3")
    page.locator("input[name=name]").fill("ears & <eyes>")
    page.locator("input[name=note]").fill("of rabbits")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_selector("text=ears & <eyes>")
    assert page.url.endswith("/neuron/conv4:3")
    assert "of rabbits" in watched.open("/find?text=rabbits").content()
    watched.expect_none()


def test_a_picture_is_dropped(look, server, shop):
    watched = look()
    page = watched.open("/images")
    picture = urllib.request.urlopen(server + "/picture/7?size=64").read()
    files = page.evaluate_handle(
        """(text) => {
          const files = new DataTransfer()
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
          files.items.add(new File([bytes], "mine <b>&.png", { type: "image/png" }))
          return files
        }""", base64.b64encode(picture).decode())  # fmt: skip
    page.dispatch_event("body", "dragenter", {"dataTransfer": files})
    assert "dropping" in page.locator("body").get_attribute("class")
    before = (shop / "hans.sqlite").read_bytes()
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    page.wait_for_url("**/drop/**")
    page.wait_for_load_state("networkidle")
    assert "mine <b>&.png" in page.inner_text("main")
    assert page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length") == 0
    # It is explained, and the store stays as it is.
    with page.expect_request("**/explaining?**"):
        page.get_by_role("button", name="Explain").first.click()
    page.wait_for_url("**/explanations?**")
    assert page.locator("figure.map").count() >= 2
    watched.expect_none()
    assert (shop / "hans.sqlite").read_bytes() == before
    # What is no picture is said.
    page = watched.open("/images")
    files = page.evaluate_handle(
        "() => { const files = new DataTransfer(); files.items.add(new File(['text'], 'list.txt')); return files }")
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    page.wait_for_url("**/drop/**")
    assert "list.txt: is text" in page.inner_text("main")


def test_an_explanation_is_made_and_kept(look):
    watched = look()
    page = watched.open("/image/7")
    form = page.locator("form[data-explain]").first
    form.locator("select[name=method]").select_option(label="class activation map")
    form.locator("input[name=target]").fill("class:cat")
    with page.expect_request("**/explaining?**") as asked:
        form.get_by_role("button", name="Explain").click()
    page.wait_for_url("**/explanations?**")
    assert "target=class%3Acat" in asked.value.url and "class:cat" in urllib.parse.unquote(page.url)
    page.wait_for_load_state("networkidle")
    canvas = page.locator("figure.map canvas").first
    canvas.wait_for()
    # Strength moves over the raw map, without asking again.
    drawn = canvas.evaluate("canvas => canvas.toDataURL()")
    page.locator("[name=strength]").fill("20")
    page.wait_for_function("([canvas, drawn]) => canvas.toDataURL() !== drawn", arg=[canvas.element_handle(), drawn])
    # The image's page has it now, and the address gives it at once.
    page = watched.open("/image/7")
    kept = page.locator("section.card", has_text="Its explanations that the store keeps")
    assert kept.locator("img").count() >= 1
    kept.locator("a.frame").first.click()
    page.wait_for_url("**/explanations?**")
    page.wait_for_load_state("networkidle")
    watched.expect_none()


def test_an_explanation_can_be_stopped(look):
    watched = look()
    page = watched.open("/image/8")
    form = page.locator("form[data-explain]").first
    # Its passes are held up, so that there is time to stop them.
    page.route("**/explaining?**", lambda route: None)
    form.get_by_role("button", name="Explain").click()
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".making >> text=Stopped.")
    assert "/image/8" in page.url


def test_a_row_of_crops_is_one_picture(look):
    watched = look()
    asked = []
    watched.page.on("request", lambda request: asked.append(request.url))
    page = watched.open("/layer/conv4")
    shown = page.locator(".neuron").first.locator("img")
    assert shown.count() == 9 and len({shown.nth(i).get_attribute("src") for i in range(9)}) == 1
    strips = [url for url in asked if "/strip?" in url]
    # Neurons that are zero on all images have the same.
    assert 0 < len(strips) == len(set(strips)) <= page.locator(".neuron").count()
    # Each shows another square of it.
    places = [shown.nth(i).evaluate("image => getComputedStyle(image).objectPosition") for i in range(9)]
    assert places == ["0px 0px"] + [f"{12.5 * i:g}% 0px" for i in range(1, 9)]


@pytest.mark.parametrize("address", ["/neuron/conv4:3.html?k=9", "/image/7.html", "/diff.html?k=2", "/.html"])
def test_a_page_is_one_file(look, server, tmp_path, address):
    file = tmp_path / "page.html"
    file.write_bytes(urllib.request.urlopen(server + address).read())
    asked = []
    watched = look(origin="file://")
    watched.page.on("request", lambda request: asked.append(request.url))
    page = watched.open(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert page.evaluate("[...document.images].filter(i => !i.naturalWidth).length") == 0


def test_a_folder_of_pages_is_walked_through(look, shop, tmp_path):
    out = tmp_path / "site"
    subprocess.run(
        [PROGRAM, "site", "honest.sqlite", "-o", out, "--layers", "conv4", "--most-neurons", "3", "--most-images", "40"], cwd=shop,
        check=True, capture_output=True)  # fmt: skip
    watched = look(origin="file://")
    page = watched.open((out / "index.html").as_uri())
    for part in ["layer-", "neuron-", "image-"]:
        page.locator(f"a[href^='{part}']").first.click()
        page.evaluate("for (const image of document.images) image.loading = 'eager'")
        page.wait_for_load_state("networkidle")
        assert f"/{part}" in page.url
        assert page.evaluate("[...document.images].filter(i => !i.naturalWidth).length") == 0
    watched.expect_none()


def test_an_address_gives_what_the_command_prints(server, shop):
    page = urllib.request.urlopen(server + "/diff.json?k=4").read().decode()
    line = [PROGRAM, "diff", "hans.sqlite", "honest.sqlite", "-k", "4", "--format", "json"]
    assert page == subprocess.run(line, cwd=shop, check=True, capture_output=True, text=True).stdout
    assert json.loads(page)["images"]["compared"] > 0
