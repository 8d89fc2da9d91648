#!/usr/bin/env python3
"""Writes Sources/Images/Drawing/FontGlyphs.swift from X11's fixed fonts 7x13 and 7x13B (font-misc-misc: "Public domain font. Share and enjoy.").

    apt-get download xfonts-base && dpkg-deb -x xfonts-base_*.deb x
    Tools/make-font.py x/usr/share/fonts/X11/misc > Sources/Images/Drawing/FontGlyphs.swift
"""
import gzip, pathlib, struct, sys

HEIGHT, ASCENT = 13, 11
WANTED = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400), 0x2010, *range(0x2013, 0x2023), 0x2026, 0x2030, 0x2039, 0x203A,
          0x20AC, *range(0x2190, 0x2196), 0x2202, 0x2206, 0x2207, 0x2208, 0x2211, 0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264,
          0x2265, 0x25A0, 0x25A1, 0x25B2, 0x25BC, 0x25CF, 0x2713, 0xFFFD]


def glyphs(path):
    """code point → HEIGHT bytes, the leftmost pixel in the highest bit."""
    data = gzip.open(path).read()
    tables = {}
    for i in range(struct.unpack_from("<I", data, 4)[0]):
        kind, form, size, offset = struct.unpack_from("<4I", data, 8 + 16 * i)
        tables[kind] = offset
    def order(offset):
        return (">" if struct.unpack_from("<I", data, offset)[0] & 4 else "<"), struct.unpack_from("<I", data, offset)[0]
    at = tables[4]  # metrics
    end, form = order(at)
    metrics = []
    if form & 0x100:
        for i in range(struct.unpack_from(end + "H", data, at + 4)[0]):
            metrics.append([b - 0x80 for b in data[at + 6 + 5 * i:at + 11 + 5 * i]])
    else:
        for i in range(struct.unpack_from(end + "I", data, at + 4)[0]):
            metrics.append(struct.unpack_from(end + "5h", data, at + 8 + 12 * i))
    at = tables[8]  # bitmaps
    end, form = order(at)
    count = struct.unpack_from(end + "I", data, at + 4)[0]
    offsets = struct.unpack_from(end + f"{count}I", data, at + 8)
    bits, pad = at + 8 + 4 * count + 16, 1 << (form & 3)
    assert form & 8, "most significant bit first"
    at = tables[32]  # encodings
    end, form = order(at)
    low2, high2, low1, high1, _ = struct.unpack_from(end + "5H", data, at + 4)
    found = {}
    for b1 in range(low1, high1 + 1):
        for b2 in range(low2, high2 + 1):
            index = struct.unpack_from(end + "H", data, at + 14 + 2 * ((b1 - low1) * (high2 - low2 + 1) + b2 - low2))[0]
            if index == 0xFFFF:
                continue
            left, right, width, ascent, descent = metrics[index]
            rows, row_bytes = [0] * HEIGHT, -(-(-(-(right - left) // 8)) // pad) * pad
            for y in range(ascent + descent):
                line = int.from_bytes(data[bits + offsets[index] + y * row_bytes:][:row_bytes], "big")
                line >>= 8 * row_bytes - 8
                target = ASCENT - ascent + y
                if 0 <= target < HEIGHT:
                    rows[target] = line >> left & 0xFF
            found[b1 << 8 | b2] = bytes(rows)
    return found


folder = pathlib.Path(sys.argv[1])
print("""// Made by Tools/make-font.py from X11's fonts 7x13 and 7x13B, which are in the public domain; do not edit.

/// The glyphs of a font of 7×13 pixels: for each, its code point in 4 hexadecimal digits and its 13 rows from the top in 2
/// each, the leftmost pixel in the highest bit.
enum FontGlyphs {""")
for i, (name, file) in enumerate((("regular", "7x13"), ("bold", "7x13B"))):
    found = glyphs(folder / f"{file}.pcf.gz")
    kept = [c for c in WANTED if c in found and not (c > 0x7F and found[c] == found.get(0) and c != 0xFFFD)]
    print(("\n" if i else "") + f'    static let {name} = """')
    text = ["%04x%s" % (c, found[c].hex()) for c in kept]
    for start in range(0, len(text), 3):
        print("        " + "".join(text[start:start + 3]) + ("\\" if start + 3 < len(text) else ""))
    print('        """')
    print(name, len(kept), file=sys.stderr)
print("}")
