#!/usr/bin/env python3
"""Writes Sources/Images/Drawing/ColormapTables.swift: matplotlib's tables of 256 colours, as hexadecimal text.

    pip install matplotlib
    Tools/make-colormaps.py > Sources/Images/Drawing/ColormapTables.swift
"""
import matplotlib

MAPS = ["viridis", "magma", "inferno", "turbo", "RdBu_r"]
NAMES = {"RdBu_r": "diverging"}
print("""// Made by Tools/make-colormaps.py from matplotlib's tables; do not edit.
// viridis, magma and inferno: Nathaniel Smith and Stéfan van der Walt, CC0. turbo: Google, Apache 2.0.
// diverging (RdBu, blue at the low end): Cynthia Brewer, Apache 2.0 style.

/// 256 colours for each map, as `rrggbb` from the lowest value to the highest.
enum ColormapTables {""")
for i, name in enumerate(MAPS):
    cmap = matplotlib.colormaps[name]
    text = "".join("%02x%02x%02x" % tuple(round(255 * v) for v in cmap(i)[:3]) for i in range(256))
    print(("\n" if i else "") + f'    static let {NAMES.get(name, name)} = """')
    for start in range(0, len(text), 96):
        print(f"        {text[start:start + 96]}" + ("\\" if start + 96 < len(text) else ""))
    print('        """')
print("}")
