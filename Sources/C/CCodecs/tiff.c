// TIFF through libtiff, which is looked for when the first TIFF comes. Rows are read as they are stored, and made colours here,
// by the rules that PNG and WebP have; kinds of colour that are rare are left to libtiff.
#include "codecs.h"
#include "library.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<tiffio.h>)
#include <tiffio.h>

#define FUNCTIONS(X)                                                                                                          \
  X(TIFFClientOpen) X(TIFFClose) X(TIFFGetField) X(TIFFGetFieldDefaulted) X(TIFFSetField) X(TIFFIsTiled) X(TIFFScanlineSize64) \
  X(TIFFTileSize64) X(TIFFTileRowSize64) X(TIFFStripSize64) X(TIFFNumberOfStrips) X(TIFFReadEncodedStrip)                      \
  X(TIFFReadEncodedTile) X(TIFFComputeTile) X(TIFFReadRGBAImageOriented) X(TIFFSetErrorHandler) X(TIFFSetErrorHandlerExt)      \
  X(TIFFSetWarningHandler) X(TIFFIsCODECConfigured)
CODEC_LIBRARY(FUNCTIONS, "libtiff.so.6", "libtiff.so.5", "libtiff.6.dylib")

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  int exhausted;
  char *message;
} source;

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t wanted) {
  source *from = handle;
  size_t left = from->at < from->count ? from->count - from->at : 0;
  size_t count = wanted < 0 ? 0 : (size_t)wanted;
  if (count > left) {
    count = left;
    from->exhausted = 1;
  }
  memcpy(out, from->bytes + from->at, count);
  from->at += count;
  return (tmsize_t)count;
}

static tmsize_t write_bytes(thandle_t handle, void *in, tmsize_t count) { return (void)handle, (void)in, (void)count, -1; }

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  source *from = handle;
  toff_t base = whence == SEEK_CUR ? from->at : whence == SEEK_END ? from->count : 0;
  from->at = (size_t)(base + offset);
  return from->at;
}

static int close_source(thandle_t handle) { return (void)handle, 0; }
static toff_t size_of(thandle_t handle) { return ((source *)handle)->count; }
static int map(thandle_t handle, void **base, toff_t *size) { return (void)handle, (void)base, (void)size, 0; }
static void unmap(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

static void note(thandle_t handle, const char *module, const char *format, va_list arguments) {
  source *from = handle;
  (void)module;
  if (from && from->message && !from->message[0]) vsnprintf(from->message, CODEC_MESSAGE_LENGTH, format, arguments);
}

static void note_errors(void) {
  lib.TIFFSetErrorHandler(NULL);
  lib.TIFFSetWarningHandler(NULL);
  lib.TIFFSetErrorHandlerExt(note);
}

static codec_status begin(source *from, TIFF **tiff) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  from->message[0] = 0;
  if (!is_there()) return CODEC_ABSENT;
  pthread_once(&once, note_errors);
  *tiff = lib.TIFFClientOpen("picture", "rm", from, read_bytes, write_bytes, seek, close_source, size_of, map, unmap);
  if (*tiff) return CODEC_OK;
  return from->exhausted ? CODEC_TRUNCATED : CODEC_CORRUPT;
}

static uint16_t small(TIFF *tiff, uint32_t tag, uint16_t otherwise) {
  uint16_t value = otherwise;
  return lib.TIFFGetFieldDefaulted(tiff, tag, &value) ? value : otherwise;
}

// What is known of a picture before its rows are read.
typedef struct {
  codec_raster raster;
  int photometric, compression, planes;
} layout;

static codec_status describe(TIFF *tiff, layout *out, char *message) {
  uint32_t width = 0, height = 0;
  lib.TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  lib.TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  codec_raster *raster = &out->raster;
  if (width > INT32_MAX || height > INT32_MAX) return CODEC_CORRUPT;
  raster->width = (int)width;
  raster->height = (int)height;
  raster->bits = small(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  raster->samples = small(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  raster->orientation = small(tiff, TIFFTAG_ORIENTATION, 1);
  out->compression = small(tiff, TIFFTAG_COMPRESSION, 1);
  out->planes = small(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE ? raster->samples : 1;
  uint16_t photometric = raster->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  lib.TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
  out->photometric = photometric;
  int format = small(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  raster->is_float = format == SAMPLEFORMAT_IEEEFP;
  raster->is_signed = format == SAMPLEFORMAT_INT;
  if (raster->samples < 1) return CODEC_CORRUPT;
  if (format == SAMPLEFORMAT_COMPLEXINT || format == SAMPLEFORMAT_COMPLEXIEEEFP) {
    snprintf(message, CODEC_MESSAGE_LENGTH, "of complex numbers");
    return CODEC_UNSUPPORTED;
  }
  if (!lib.TIFFIsCODECConfigured((uint16_t)out->compression)) {
    snprintf(message, CODEC_MESSAGE_LENGTH, "compressed by scheme %d", out->compression);
    return CODEC_UNSUPPORTED;
  }
  int extra = 0;
  uint16_t extras = 0, *kinds = NULL;
  if (lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) && extras > 0 && kinds) extra = kinds[0];
  raster->is_premultiplied = extra == EXTRASAMPLE_ASSOCALPHA;
  int colours = out->photometric == PHOTOMETRIC_SEPARATED ? 4
                : out->photometric <= PHOTOMETRIC_MINISBLACK || out->photometric == PHOTOMETRIC_PALETTE
                    ? 1
                    : 3;
  raster->extra = raster->samples - colours;
  // Numbers, rather than levels of colours.
  raster->is_array = raster->is_float || raster->is_signed || raster->bits > 16 || raster->extra > 1 || raster->extra < 0 ||
                     (colours == 1 && raster->extra == 1 && extra == EXTRASAMPLE_UNSPECIFIED);
  raster->is_plain = out->photometric <= PHOTOMETRIC_RGB && !raster->is_premultiplied;
  raster->is_inverted = out->photometric == PHOTOMETRIC_MINISWHITE;
  return CODEC_OK;
}

// All samples as they are stored, plane after plane; rows of a plane are `*row` bytes.
static codec_status read_raw(TIFF *tiff, const layout *picture, uint8_t **out, size_t *row) {
  const codec_raster *raster = &picture->raster;
  size_t per_pixel = (size_t)raster->bits * (size_t)(picture->planes > 1 ? 1 : raster->samples);
  *row = ((size_t)raster->width * per_pixel + 7) / 8;
  size_t height = (size_t)raster->height, plane = *row * height, total = plane * (size_t)picture->planes;
  if (plane / height != *row || total / (size_t)picture->planes != plane || total > ((size_t)1 << 32)) return CODEC_NO_MEMORY;
  uint8_t *raw = calloc(total ? total : 1, 1);
  if (!raw) return CODEC_NO_MEMORY;
  *out = raw;
  if (lib.TIFFIsTiled(tiff)) {
    uint32_t across = 0, down = 0;
    lib.TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &across);
    lib.TIFFGetField(tiff, TIFFTAG_TILELENGTH, &down);
    size_t bytes = lib.TIFFTileSize64(tiff), tile_row = lib.TIFFTileRowSize64(tiff);
    if (!across || !down || !tile_row || bytes < tile_row * down || bytes > ((size_t)1 << 30)) return CODEC_CORRUPT;
    if (across * per_pixel % 8) return CODEC_UNSUPPORTED;
    uint8_t *tile = malloc(bytes);
    if (!tile) return CODEC_NO_MEMORY;
    for (int p = 0; p < picture->planes; p++)
      for (uint32_t y = 0; y < height; y += down)
        for (uint32_t x = 0; x < (uint32_t)raster->width; x += across) {
          uint32_t number = lib.TIFFComputeTile(tiff, x, y, 0, (uint16_t)p);
          if (lib.TIFFReadEncodedTile(tiff, number, tile, (tmsize_t)bytes) < 0) {
            free(tile);
            return CODEC_CORRUPT;
          }
          size_t from = (size_t)x * per_pixel / 8, length = *row - from < tile_row ? *row - from : tile_row;
          for (uint32_t line = 0; line < down && y + line < height; line++)
            memcpy(raw + (size_t)p * plane + (y + line) * *row + from, tile + line * tile_row, length);
        }
    free(tile);
    return CODEC_OK;
  }
  uint32_t rows = (uint32_t)height;
  lib.TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
  if (lib.TIFFScanlineSize64(tiff) != *row || rows == 0) return CODEC_UNSUPPORTED;
  if (rows > height) rows = (uint32_t)height;
  uint32_t each = ((uint32_t)height + rows - 1) / rows;
  if (lib.TIFFNumberOfStrips(tiff) < each * (uint32_t)picture->planes) return CODEC_CORRUPT;
  for (int p = 0; p < picture->planes; p++)
    for (uint32_t strip = 0; strip < each; strip++) {
      size_t first = (size_t)strip * rows, count = height - first < rows ? height - first : rows;
      tmsize_t wanted = (tmsize_t)(count * *row);
      tmsize_t got = lib.TIFFReadEncodedStrip(tiff, (uint32_t)p * each + strip, raw + (size_t)p * plane + first * *row, wanted);
      if (got < wanted) return CODEC_CORRUPT;
    }
  return CODEC_OK;
}

// The sample at a place of a row, of 1 to 16 bits or of 32 or 64, as it is.
static inline uint64_t sample(const uint8_t *row, size_t index, int bits) {
  switch (bits) {
  case 8: return row[index];
  case 16: { uint16_t v; memcpy(&v, row + 2 * index, 2); return v; }
  case 32: { uint32_t v; memcpy(&v, row + 4 * index, 4); return v; }
  case 64: { uint64_t v; memcpy(&v, row + 8 * index, 8); return v; }
  default: {
    uint64_t value = 0;
    size_t bit = index * (size_t)bits;
    for (int i = 0; i < bits; i++, bit++) value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1);
    return value;
  }
  }
}

// A level of 1 to 16 bits, as one of 8.
static inline uint8_t level(uint64_t value, int bits) {
  if (bits == 8) return (uint8_t)value;
  if (bits > 8) return (uint8_t)(value >> (bits - 8));
  return (uint8_t)(value * 255 / ((1u << bits) - 1));
}

static uint8_t product(int a, int b) {
  int value = a * b + 128;
  return (uint8_t)(((value >> 8) + value) >> 8);
}

static codec_status colours(TIFF *tiff, const layout *picture, uint8_t *rgb) {
  const codec_raster *raster = &picture->raster;
  int bits = raster->bits, samples = raster->samples, is_palette = picture->photometric == PHOTOMETRIC_PALETTE;
  uint16_t *map[3] = {NULL, NULL, NULL};
  if (is_palette && (bits > 8 || !lib.TIFFGetField(tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]) || !map[2]))
    return CODEC_CORRUPT;
  uint8_t *raw = NULL;
  size_t row = 0;
  codec_status status = read_raw(tiff, picture, &raw, &row);
  size_t plane = row * (size_t)raster->height;
  int is_grey = picture->photometric <= PHOTOMETRIC_MINISBLACK;
  for (int y = 0; status == CODEC_OK && y < raster->height; y++) {
    const uint8_t *line = raw + (size_t)y * row;
    for (int x = 0; x < raster->width; x++, rgb += 3) {
      uint8_t v[5] = {0};
      uint64_t first = 0;
      for (int s = 0; s < samples && s < 5; s++) {
        uint64_t value = picture->planes > 1 ? sample(line + (size_t)s * plane, (size_t)x, bits)
                                             : sample(line, (size_t)x * (size_t)samples + (size_t)s, bits);
        if (s == 0) first = value;
        v[s] = level(value, bits);
      }
      if (is_palette) {
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(map[c][first] >> 8);
      } else if (is_grey) {
        memset(rgb, picture->photometric == PHOTOMETRIC_MINISWHITE ? 255 - v[0] : v[0], 3);
      } else if (picture->photometric == PHOTOMETRIC_SEPARATED) {
        // Pillow's: what black leaves, less the ink's share of it.
        int left = 255 - v[3];
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(left - product(v[c], left));
      } else {
        int alpha = raster->is_premultiplied && raster->extra == 1 ? v[3] : 255;
        for (int c = 0; c < 3; c++) {
          int value = alpha == 0 || alpha == 255 ? v[c] : 255 * v[c] / alpha;
          rgb[c] = (uint8_t)(value > 255 ? 255 : value);
        }
      }
    }
  }
  free(raw);
  return status;
}

// Colours that are made of waves, lightness or the like.
static codec_status rare_colours(TIFF *tiff, const codec_raster *raster, uint8_t *rgb) {
  size_t count = (size_t)raster->width * (size_t)raster->height;
  uint32_t *pixels = calloc(count, 4);
  if (!pixels) return CODEC_NO_MEMORY;
  // As it is stored: it is turned later.
  uint32_t width = (uint32_t)raster->width, height = (uint32_t)raster->height;
  int good = lib.TIFFReadRGBAImageOriented(tiff, width, height, pixels, raster->orientation, 1);
  for (size_t i = 0; good && i < count; i++, rgb += 3) {
    rgb[0] = (uint8_t)TIFFGetR(pixels[i]);
    rgb[1] = (uint8_t)TIFFGetG(pixels[i]);
    rgb[2] = (uint8_t)TIFFGetB(pixels[i]);
  }
  free(pixels);
  return good ? CODEC_OK : CODEC_CORRUPT;
}

// The picture described; `finish` ends with it, also where that fails.
static codec_status open_picture(source *from, TIFF **tiff, layout *picture) {
  memset(picture, 0, sizeof *picture);
  codec_status status = begin(from, tiff);
  return status == CODEC_OK ? describe(*tiff, picture, from->message) : status;
}

static codec_status finish(TIFF *tiff, const source *from, codec_status status) {
  if (!tiff) return status;
  lib.TIFFClose(tiff);
  return status == CODEC_CORRUPT && from->exhausted ? CODEC_TRUNCATED : status;
}

codec_status codec_tiff_header(const uint8_t *bytes, size_t count, codec_raster *raster, char message[CODEC_MESSAGE_LENGTH]) {
  source from = {bytes, count, 0, 0, message};
  TIFF *tiff = NULL;
  layout picture;
  codec_status status = open_picture(&from, &tiff, &picture);
  if (tiff) *raster = picture.raster;
  return finish(tiff, &from, status);
}

codec_status codec_tiff_decode(const uint8_t *bytes, size_t count, const codec_raster *raster, uint8_t *rgb,
                               char message[CODEC_MESSAGE_LENGTH]) {
  source from = {bytes, count, 0, 0, message};
  TIFF *tiff = NULL;
  layout picture;
  codec_status status = open_picture(&from, &tiff, &picture);
  if (status != CODEC_OK) return finish(tiff, &from, status);
  if (picture.raster.width != raster->width || picture.raster.height != raster->height) return finish(tiff, &from, CODEC_CORRUPT);
  int is_jpeg = picture.compression == COMPRESSION_JPEG && picture.photometric == PHOTOMETRIC_YCBCR;
  if (is_jpeg) {
    lib.TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    picture.photometric = PHOTOMETRIC_RGB;
  }
  int is_common = picture.photometric <= PHOTOMETRIC_PALETTE || picture.photometric == PHOTOMETRIC_SEPARATED;
  status = is_common ? colours(tiff, &picture, rgb) : rare_colours(tiff, &picture.raster, rgb);
  return finish(tiff, &from, status);
}

static float number(uint64_t bits, const codec_raster *raster) {
  if (raster->is_float) {
    if (raster->bits == 64) { double v; memcpy(&v, &bits, 8); return (float)v; }
    uint32_t word = (uint32_t)bits;
    if (raster->bits == 16) {
      // Half precision: shifted into a float's place, whose exponent is then 112 too small.
      uint32_t magnitude = (word & 0x7FFF) << 13, sign = (word & 0x8000) << 16;
      float value;
      memcpy(&value, &magnitude, 4);
      value *= 5.192296858534828e+33f;
      if ((word & 0x7C00) == 0x7C00) value = word & 0x3FF ? NAN : INFINITY;
      return sign ? -value : value;
    }
    float v;
    memcpy(&v, &word, 4);
    return v;
  }
  if (!raster->is_signed) return (float)bits;
  int shift = 64 - raster->bits;
  return (float)((int64_t)(bits << shift) >> shift);
}

codec_status codec_tiff_numbers(const uint8_t *bytes, size_t count, const codec_raster *raster, float *values,
                                char message[CODEC_MESSAGE_LENGTH]) {
  source from = {bytes, count, 0, 0, message};
  TIFF *tiff = NULL;
  layout picture;
  codec_status status = open_picture(&from, &tiff, &picture);
  const codec_raster *own = &picture.raster;
  if (status == CODEC_OK && (own->width != raster->width || own->height != raster->height || own->samples != raster->samples))
    status = CODEC_CORRUPT;
  int bits = own->bits, isKnown = own->is_float ? bits == 16 || bits == 32 || bits == 64 : bits <= 16 || bits == 32 || bits == 64;
  if (status == CODEC_OK && !isKnown) {
    snprintf(message, CODEC_MESSAGE_LENGTH, "numbers of %d bits", bits);
    status = CODEC_UNSUPPORTED;
  }
  uint8_t *raw = NULL;
  size_t row = 0;
  if (status == CODEC_OK) status = read_raw(tiff, &picture, &raw, &row);
  size_t plane = row * (size_t)own->height, samples = (size_t)own->samples;
  for (int y = 0; status == CODEC_OK && y < own->height; y++)
    for (size_t x = 0; x < (size_t)own->width; x++)
      for (size_t s = 0; s < samples; s++) {
        const uint8_t *line = raw + (size_t)y * row;
        *values++ = number(picture.planes > 1 ? sample(line + s * plane, x, bits) : sample(line, x * samples + s, bits), own);
      }
  free(raw);
  return finish(tiff, &from, status);
}

#else

codec_status codec_tiff_header(const uint8_t *bytes, size_t count, codec_raster *raster, char message[CODEC_MESSAGE_LENGTH]) {
  return (void)bytes, (void)count, (void)raster, message[0] = 0, CODEC_LEFT_OUT;
}

codec_status codec_tiff_decode(const uint8_t *bytes, size_t count, const codec_raster *raster, uint8_t *rgb,
                               char message[CODEC_MESSAGE_LENGTH]) {
  return (void)bytes, (void)count, (void)raster, (void)rgb, message[0] = 0, CODEC_LEFT_OUT;
}

codec_status codec_tiff_numbers(const uint8_t *bytes, size_t count, const codec_raster *raster, float *values,
                                char message[CODEC_MESSAGE_LENGTH]) {
  return (void)bytes, (void)count, (void)raster, (void)values, message[0] = 0, CODEC_LEFT_OUT;
}
#endif
