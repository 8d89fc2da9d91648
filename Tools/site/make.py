"""Makes the documentation as a site: make.py PROGRAM OUT     (run by `make site`, which installs what it imports)

README, docs/, the reference of commands (from what PROGRAM says of itself), the tables of schema.sql and, where it was made, the
libraries' DocC become static pages in OUT, with search, for any web server or a folder. No page asks another host for anything.
Every link and anchor is followed, and every command line in a page is compared with the commands' own options; it exits with 1 where
one does not hold.
"""

import html
import json
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


class Page:
    def __init__(self, path, title, body, group):
        self.path, self.title, self.body, self.group = path, title, body, group


def of_markdown(source, path, group, moved):
    """A page of Markdown; links to other files of the repository go to their pages, where they have one."""
    text = source.read_text()
    body = markdown.markdown(text, extensions=["tables", "fenced_code", "toc", "sane_lists"])
    title = re.search(r"^# (.*)", text, re.M).group(1).replace("`", "")

    def link(match):
        target = match.group(2)
        parts = urlsplit(target)
        if parts.scheme or not parts.path:
            return match.group(0)
        full = (source.parent / parts.path).resolve()
        known = moved.get(full)
        if known is None:
            return match.group(0)
        anchor = f"#{parts.fragment}" if parts.fragment else ""
        return f'{match.group(1)}="{relative(path, known)}{anchor}"'

    return Page(path, title, re.sub(r'(href|src)="([^"]*)"', link, body), group)


def relative(page, target):
    up = "../" * page.count("/")
    return up + target


def spelt(argument):
    names = ", ".join(("--" if one["kind"] == "long" else "-") + one["name"] for one in argument.get("names", []))
    value = f"<{argument.get('valueName', '')}>" if argument["kind"] != "flag" else ""
    return f"{names} {value}".strip() if names else value + (" …" if argument.get("isRepeating") else "")


def of_commands(command, ancestors, template):
    words = [*ancestors, command["commandName"]]
    rows = [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]
    subcommands = [one for one in command.get("subcommands", []) if one["commandName"] != "help" and one.get("shouldDisplay", True)]
    entries = [(spelt(one), one.get("abstract", ""), default(one)) for one in rows]
    body = template.render(
        abstract=command.get("abstract", ""), paragraphs=paragraphs(command.get("discussion", "")), entries=entries,
        usage=" ".join([*words, *(f"<{one['valueName']}>" for one in rows if one["kind"] == "positional"),
                        "[options]" if entries else "", "<subcommand>" if subcommands else ""]),
        subcommands=[("-".join([*words, one["commandName"]]) + ".html", " ".join([*words[1:], one["commandName"]]),
                      one.get("abstract", "")) for one in subcommands])
    pages = [Page(f"commands/{'-'.join(words)}.html", " ".join(words), body, "Commands")]
    for one in subcommands:
        pages += of_commands(one, words, template)
    return pages


def default(argument):
    value = argument.get("defaultValue")
    return f"default: {value}" if value and "default" not in argument.get("abstract", "") else ""


def paragraphs(text):
    """Prose and, indented, examples."""
    return [(part.startswith("  "), part.strip("\n")) for part in text.split("\n\n") if part.strip()]


def of_schema():
    """The tables of schema.sql, with the comments as they stand."""
    text = (REPOSITORY / "schema.sql").read_text()
    starts = [match.start() for match in re.finditer(r"(?:^-- [^\n]*\n)*^CREATE (?:TABLE|VIEW) ", text, re.M)]
    parts = [f"<h1>The store's schema</h1><pre>{html.escape(text[: starts[0]].strip())}</pre>"]
    for start, end in zip(starts, [*starts[1:], len(text)]):
        part = text[start:end].strip()
        kind, name = re.search(r"^CREATE (TABLE|VIEW) (\w+)", part, re.M).groups()
        parts.append(f'<h2 id="{name}">{kind.lower()} {name}</h2><pre><code>{html.escape(part)}</code></pre>')
    return Page("schema.html", "The store's schema", "".join(parts), "Reference")


# What must hold.


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets, self.anchors, self.resources = [], set(), []

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        if "id" in facts:
            self.anchors.add(facts["id"])
        if tag == "a" and facts.get("href"):
            self.targets.append(facts["href"])
        for name in ("src", "href"):
            if tag in ("img", "script", "link", "source") and facts.get(name):
                self.resources.append(facts[name])


def broken_links(out):
    """Sentences on links without a target, and on what would be asked of another host."""
    found, anchors = {}, {}
    for path in out.rglob("*.html"):
        if "library" in path.relative_to(out).parts:
            continue  # DocC checks its own.
        links = Links()
        links.feed(path.read_text())
        found[path], anchors[path.resolve()] = links, links.anchors
    problems, count = [], 0
    for path, links in found.items():
        name = path.relative_to(out)
        for target in links.resources:
            # What stands in the page itself is asked of nobody.
            if target.startswith("data:"):
                continue
            if urlsplit(target).scheme or urlsplit(target).netloc:
                problems.append(f"{name} asks another host for {target}")
        for target in links.targets + links.resources:
            parts = urlsplit(target)
            if parts.scheme:
                continue
            count += 1
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not there.exists():
                problems.append(f"{name}: there is no {target}")
            elif parts.fragment and there in anchors and parts.fragment not in anchors[there]:
                problems.append(f"{name}: {target} names no heading")
    return problems, count


def commands_by_name(command, ancestors=()):
    words = (*ancestors, command["commandName"])
    found = {words: {("--" if one["kind"] == "long" else "-") + one["name"]
                     for argument in command.get("arguments", []) for one in argument.get("names", [])}}
    for one in command.get("subcommands", []):
        found.update(commands_by_name(one, words))
        if one["commandName"] == command.get("defaultSubcommand"):
            found[words] |= found[(*words, one["commandName"])]
    return found


def unknown_commands(sources, command):
    """Sentences on command lines that the program does not know."""
    known = commands_by_name(command)
    problems, count = [], 0
    for source in sources:
        for block in re.findall(r"^```(?:sh|console|)\n(.*?)^```", source.read_text(), re.M | re.S):
            for line in block.replace("\\\n", " ").split("\n"):
                try:
                    words = shlex.split(line.strip(), comments=True)
                except ValueError:
                    continue
                if not words or words[0] != "neurodex" or len(words) < 2:
                    continue
                count += 1
                name = ("neurodex",)
                for word in words[1:]:
                    if (*name, word) not in known:
                        break
                    name = (*name, word)
                if len(name) == 1 and not words[1].startswith("-"):
                    problems.append(f"{source.name}: there is no command {words[1]}: {line.strip()}")
                options = {word.split("=")[0] for word in words[len(name):] if re.match(r"--?[a-zA-Z]", word)}
                for option in sorted(options - known[name]):
                    problems.append(f"{source.name}: {' '.join(name)} has no option {option}: {line.strip()}")
    return problems, count


def main():
    program, out = sys.argv[1], Path(sys.argv[2]).resolve()
    keeps = out / "library"
    for path in [one for one in out.glob("*") if one != keeps]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    command = json.loads(subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]
    templates = Environment(loader=FileSystemLoader(HERE), autoescape=select_autoescape(), undefined=StrictUndefined,
                            trim_blocks=True, lstrip_blocks=True)
    sources = {REPOSITORY / "README.md": ("index.html", "Start")}
    for path in sorted((REPOSITORY / "docs").glob("*.md")):
        group = "Reference" if path.stem in ("networks", "operators", "architecture", "checks") else "Guides"
        sources[path] = (f"docs/{path.stem}.html", group)
    sources[REPOSITORY / "python/README.md"] = ("python.html", "Guides")
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "Benchmarks/README.md"):
        if (REPOSITORY / name).exists():
            sources[REPOSITORY / name] = (Path(name).with_suffix(".html").as_posix().replace("/", "-").lower(), "Project")
    moved = {path.resolve(): target for path, (target, _) in sources.items()}
    moved[(REPOSITORY / "schema.sql").resolve()] = "schema.html"
    shutil.copytree(REPOSITORY / "docs/pictures", out / "docs/pictures")
    for picture in (REPOSITORY / "docs/pictures").iterdir():
        moved[picture.resolve()] = f"docs/pictures/{picture.name}"
    reports = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "docs/reports").iterdir())
    for name in ("LICENSE", "fixtures/README.md", "docs/report.schema.json", *reports):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, out / name)
        moved[(REPOSITORY / name).resolve()] = name
    shutil.copytree(REPOSITORY / "cluster", out / "cluster")
    moved[(REPOSITORY / "cluster").resolve()] = "cluster"
    pages = [of_markdown(path, target, group, moved) for path, (target, group) in sources.items()]
    pages += of_commands(command, [], templates.get_template("command.html"))
    pages.append(of_schema())
    if (keeps / "index.html").exists():
        pages.append(Page("library.html", "Swift libraries", '<h1>Swift libraries</h1><p><a href="library/documentation/index.html">Reference of the libraries</a>, which needs a web server that has this site at its root.</p>', "Reference"))
    layout = templates.get_template("page.html")
    groups = [(group, [page for page in pages if page.group == group and page.path != "index.html"])
              for group in ("Guides", "Commands", "Reference", "Project")]
    for page in pages:
        target = out / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(layout.render(page=page, body=Markup(page.body), groups=groups, root="../" * page.path.count("/")))
    index = [{"t": page.title, "p": page.path, "x": re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page.body)))} for page in pages]
    (out / "search-index.js").write_text("const pages = " + json.dumps(index, ensure_ascii=False).replace("</", "<\\/") + ";\n")
    for name in ("site.css", "site.js"):
        shutil.copy(HERE / name, out / name)
    wrong_links, links = broken_links(out)
    wrong_commands, lines = unknown_commands([path for path in sources if path.name != "CHANGELOG.md"], command)
    for sentence in wrong_links + wrong_commands:
        print(sentence, file=sys.stderr)
    print(f"{len(pages)} pages in {out}; {links} links and {lines} command lines checked, {len(wrong_links + wrong_commands)} wrong")
    sys.exit(1 if wrong_links or wrong_commands else 0)


main()
