#!/usr/bin/env python3
"""Writes Sources/Images/Drawing/FontGlyphs.swift from the outlines of Inter (SIL Open Font License 1.1; Sources/Images/Drawing/Inter-OFL.txt).

    apt-get download fonts-inter && dpkg-deb -x fonts-inter_*.deb inter && pip install fonttools
    Tools/make-font.py inter/usr/share/fonts/opentype/inter > Sources/Images/Drawing/FontGlyphs.swift
"""
import base64, pathlib, sys
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont

EM = 512  # units that the coordinates are rounded to
WANTED = [*range(0x20, 0x7F), *range(0xA0, 0x180), 0x218, 0x219, 0x21A, 0x21B, *range(0x300, 0x30D), 0x323, 0x327, 0x328, *range(0x384, 0x3D0),
          *range(0x400, 0x460), *range(0x2010, 0x2028), *range(0x2030, 0x203B), 0x2044, *range(0x2070, 0x2095), 0x20AC, 0x20BF, 0x2116, 0x2122,
          0x2126, *range(0x2153, 0x215F), *range(0x2190, 0x219A), 0x21D0, 0x21D2, 0x21D4, *range(0x2200, 0x2270), *range(0x22C0, 0x22C8),
          *range(0x25A0, 0x25D0), 0x2605, 0x2606, 0x2640, 0x2642, 0x2713, 0x2714, 0x2717, 0x2718, 0xFB01, 0xFB02, 0xFFFD]


def varint(number):
    number = number << 1 if number >= 0 else (-number << 1) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def contours(font, name):
    """Lists of (x, y, is on the curve); a curve's point between two that are off it is written, not implied."""
    glyphs = font.getGlyphSet()
    recording = RecordingPen()
    glyphs[name].draw(Cu2QuPen(recording, max_err=2.5, all_quadratic=True))
    found = []
    for operation, points in recording.value:
        if operation == "moveTo":
            found.append([(*points[0], True)])
        elif operation == "lineTo":
            found[-1].append((*points[0], True))
        elif operation == "qCurveTo":
            *off, end = points
            for i, point in enumerate(off):
                found[-1].append((*point, False))
                if i + 1 < len(off):
                    found[-1].append(((point[0] + off[i + 1][0]) / 2, (point[1] + off[i + 1][1]) / 2, True))
            found[-1].append((*end, True))
    return found


def encoded(font):
    """For each glyph: code point, advance, count of contours; for each contour its count of points; for each point x and y less those of
    the point before, x doubled, and one more where the point is on the curve."""
    scale, table, out, count = EM / font["head"].unitsPerEm, font.getBestCmap(), bytearray(), 0
    for code in WANTED:
        if code not in table:
            continue
        shapes = contours(font, table[code])
        out += varint(code) + varint(round(font["hmtx"][table[code]][0] * scale)) + varint(len(shapes))
        x = y = 0
        for shape in shapes:
            if len(shape) > 1 and shape[0][:2] == shape[-1][:2] and shape[-1][2]:
                shape = shape[:-1]
            out += varint(len(shape))
            for px, py, is_on in shape:
                px, py = round(px * scale), round(py * scale)
                out += varint((px - x) * 2 + is_on) + varint(py - y)
                x, y = px, py
        count += 1
    return bytes(out), count


folder = pathlib.Path(sys.argv[1])
print("""// Made by Tools/make-font.py from Inter (https://rsms.me/inter), of The Inter Project Authors: SIL Open Font License 1.1, which stands in
// Inter-OFL.txt; do not edit.

/// Outlines of glyphs in units of 1/512 em, y upwards, as `Outlines` reads them: base64 of whole numbers of 7 bits a byte, the sign in the lowest.
enum FontGlyphs {""")
for i, (name, file) in enumerate((("regular", "Inter-Regular"), ("bold", "Inter-SemiBold"))):
    font = TTFont(folder / f"{file}.otf")
    data, count = encoded(font)
    text = base64.b64encode(data).decode()
    print(("\n" if i else "") + f'    static let {name} = """')
    lines = [text[j:j + 116] for j in range(0, len(text), 116)]
    print("\n".join("        " + line for line in lines))
    print('        """')
    hhea = font["hhea"]
    print(name, count, len(data), "ascent", hhea.ascent / font["head"].unitsPerEm, "descent", hhea.descent / font["head"].unitsPerEm,
          "missing", " ".join("%x" % c for c in WANTED if c not in font.getBestCmap())[:900], file=sys.stderr)
print("}")
