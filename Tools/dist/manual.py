"""Writes the manual pages of a program, from what the program itself says: manual.py PROGRAM VERSION DATE FOLDER

PROGRAM --experimental-dump-help is swift-argument-parser's description of a command and its subcommands in JSON; each becomes
FOLDER/NAME.1 in mdoc(7).
"""

import json
import subprocess
import sys
from pathlib import Path


def escaped(text):
    """Text as roff shows it: no macro at the start of a line, no escape."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines)


def paragraphs(text):
    """Prose as paragraphs; indented lines as they are."""
    result = []
    for part in text.strip("\n").split("\n\n"):
        if part.startswith("  "):
            result += [".Bd -literal -offset indent", escaped("\n".join(line[2:] for line in part.split("\n"))), ".Ed"]
        else:
            result += [".Pp", escaped(part)]
    return result


def spelt(name):
    return ("\\-\\-" if name["kind"] == "long" else "\\-") + name["name"].replace("-", "\\-")


def is_shown(argument):
    return argument.get("shouldDisplay", True)


def synopsis(argument):
    value = argument.get("valueName", "")
    if argument["kind"] == "positional":
        text = f".Ar {escaped(value)}" + (" ..." if argument.get("isRepeating") else "")
    elif argument["kind"] == "flag":
        text = f".Fl {spelt(argument['preferredName'])[2:]}"
    else:
        text = f".Fl {spelt(argument['preferredName'])[2:]} Ar {escaped(value)}"
    return f".Op {text[1:]}" if argument.get("isOptional") else text


def entry(argument):
    if argument["kind"] == "positional":
        head = f"Ar {escaped(argument.get('valueName', ''))}"
    else:
        names = " , ".join(f"Fl {spelt(name)[2:]}" for name in argument["names"])
        head = names if argument["kind"] == "flag" else f"{names} Ar {escaped(argument.get('valueName', ''))}"
    text = argument.get("abstract", "")
    default = argument.get("defaultValue")
    if default and "default" not in text:
        text += f" (default: {default})"
    return [f".It {head}", escaped(text)]


def page(command, version, date, ancestors):
    words = [*ancestors, command["commandName"]]
    title = "-".join(words)
    shown = [argument for argument in command.get("arguments", []) if is_shown(argument)]
    subcommands = [one for one in command.get("subcommands", []) if one.get("shouldDisplay", True) and one["commandName"] != "help"]
    lines = [f".Dd {date}", f".Dt {title.upper()} 1", f".Os neurodex {version}", ".Sh NAME", f".Nm {escaped(' '.join(words))}"]
    lines += [f".Nd {escaped(command.get('abstract', '').rstrip('.'))}", ".Sh SYNOPSIS", f".Nm {escaped(' '.join(words))}"]
    lines += [".Ar subcommand"] if subcommands else [synopsis(argument) for argument in shown]
    lines += [".Sh DESCRIPTION", *paragraphs(command.get("discussion") or command.get("abstract", ""))]
    for heading, kinds in (("ARGUMENTS", ["positional"]), ("OPTIONS", ["flag", "option"])):
        listed = [argument for argument in shown if argument["kind"] in kinds]
        if listed:
            lines += [f".Sh {heading}", ".Bl -tag -width indent"]
            for argument in listed:
                lines += entry(argument)
            lines += [".El"]
    if subcommands:
        lines += [".Sh SUBCOMMANDS", ".Bl -tag -width indent"]
        for one in subcommands:
            lines += [f".It Xr {'-'.join([*words, one['commandName']])} 1", escaped(one.get("abstract", ""))]
        lines += [".El"]
    lines += [".Sh EXIT STATUS", "0 done, 1 failed, 2 some inputs were skipped, 64 wrong usage, 130 stopped by Ctrl\\-C."]
    if ancestors:
        lines += [".Sh SEE ALSO", f".Xr {'-'.join(ancestors)} 1"]
    pages = {f"{title}.1": "\n".join(lines) + "\n"}
    for one in subcommands:
        pages.update(page(one, version, date, words))
    return pages


def main():
    program, version, date, folder = sys.argv[1:]
    help = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in page(json.loads(help)["command"], version, date, []).items():
        Path(folder, name).write_text(text)


main()
