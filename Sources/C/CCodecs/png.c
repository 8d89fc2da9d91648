// libpng's classic interface: the simplified one applies gamma in reading, and leaves no choice of compression in writing.
#include "codecs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

typedef struct {
  const uint8_t *bytes;
  size_t left;
  int exhausted;
  char *message;
} png_source;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  png_source *source = png_get_io_ptr(png);
  if (count > source->left) {
    source->exhausted = 1;
    png_error(png, "out of bytes");
  }
  memcpy(out, source->bytes, count);
  source->bytes += count;
  source->left -= count;
}

static void fail(png_structp png, png_const_charp text) {
  png_source *source = png_get_error_ptr(png);
  snprintf(source->message, CODEC_MESSAGE_LENGTH, "%s", text);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

// Indices, one byte each at the start of a row, become colours in the same row: from the right, each is read before
// its place is written.
static void expand_palette(uint8_t *row, int width, const uint8_t (*colours)[3]) {
  for (int x = width - 1; x >= 0; x--) {
    const uint8_t *colour = colours[row[x]];
    row[3 * x + 0] = colour[0];
    row[3 * x + 1] = colour[1];
    row[3 * x + 2] = colour[2];
  }
}

// Rows of 3 bytes a pixel; or of `deep` samples a pixel, each of 16 bits, high byte first.
static codec_status decode(const uint8_t *bytes, size_t count, uint8_t *out, int width, int height, int deep,
                           char message[CODEC_MESSAGE_LENGTH]) {
  png_source source = {bytes, count, 0, message};
  png_source *volatile kept = &source;
  message[0] = 0;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, fail, ignore_warning);
  if (!png) return CODEC_NO_MEMORY;
  png_infop volatile info = png_create_info_struct(png);
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return CODEC_NO_MEMORY;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_infop freed = info;
    png_destroy_read_struct(&png, &freed, NULL);
    return kept->exhausted ? CODEC_TRUNCATED : CODEC_CORRUPT;
  }
  png_set_read_fn(png, &source, read_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
  png_set_benign_errors(png, 1);
  // Chunks that do not change the pixels are stepped over unread: a broken colour profile is no reason to refuse.
  static const png_byte ignored[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
                                    "sTER\0tEXt\0tIME\0tRNS\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, ignored, (int)(sizeof ignored / 5));
  png_read_info(png, info);
  if ((int)png_get_image_width(png, info) != width || (int)png_get_image_height(png, info) != height)
    png_error(png, "a second header");

  int palette = png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE;
  uint8_t colours[256][3];
  if (palette) {
    for (int i = 0; i < 256; i++) memset(colours[i], i, 3);
    png_colorp entries = NULL;
    int entry_count = 0;
    png_get_PLTE(png, info, &entries, &entry_count);
    for (int i = 0; i < entry_count && i < 256; i++) {
      colours[i][0] = entries[i].red;
      colours[i][1] = entries[i].green;
      colours[i][2] = entries[i].blue;
    }
    png_set_packing(png);
    png_set_check_for_invalid_index(png, 0);
  } else {
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    if (!deep) {
      png_set_strip_16(png);
      png_set_gray_to_rgb(png);
    }
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t stride = (size_t)width * (deep ? 2 * (size_t)deep : 3), row_bytes = palette ? (size_t)width : stride;
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "an unexpected row length");
  for (int pass = 0; pass < passes; pass++)
    for (int y = 0; y < height; y++) png_read_row(png, out + (size_t)y * stride, NULL);
  if (palette)
    for (int y = 0; y < height; y++) expand_palette(out + (size_t)y * stride, width, colours);
  png_infop freed = info;
  png_destroy_read_struct(&png, &freed, NULL);
  return CODEC_OK;
}

codec_status codec_png_decode(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height,
                              char message[CODEC_MESSAGE_LENGTH]) {
  return decode(bytes, count, rgb, width, height, 0, message);
}

codec_status codec_png_numbers(const uint8_t *bytes, size_t count, float *values, int width, int height, int samples,
                               char message[CODEC_MESSAGE_LENGTH]) {
  // Levels of 2 bytes in the second half of the memory for numbers of 4: each is read before its place is written.
  size_t total = (size_t)width * (size_t)height * (size_t)samples;
  const uint8_t *levels = (uint8_t *)values + 2 * total;
  codec_status status = decode(bytes, count, (uint8_t *)values + 2 * total, width, height, samples, message);
  for (size_t i = 0; status == CODEC_OK && i < total; i++) {
    unsigned level = (unsigned)levels[2 * i] << 8 | levels[2 * i + 1];
    values[i] = (float)level;
  }
  return status;
}

typedef struct {
  uint8_t *bytes;
  size_t count, room;
  char *message;
} png_target;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  png_target *target = png_get_io_ptr(png);
  if (count > target->room - target->count) {
    size_t room = 2 * (target->room + count);
    uint8_t *larger = realloc(target->bytes, room);
    if (!larger) png_error(png, "no memory is left");
    target->bytes = larger;
    target->room = room;
  }
  memcpy(target->bytes + target->count, bytes, count);
  target->count += count;
}

static void flush_bytes(png_structp png) { (void)png; }

static void fail_writing(png_structp png, png_const_charp text) {
  png_target *target = png_get_error_ptr(png);
  snprintf(target->message, CODEC_MESSAGE_LENGTH, "%s", text);
  png_longjmp(png, 1);
}

// Of more pixels than this, deflate looks for no repetitions but runs: after PNG's filters a photograph has few others, and looking
// for them takes six times as long for 2 % fewer bytes.
enum { SEARCHED_PIXELS = 1 << 20 };

static codec_status encode(png_structp png, png_infop info, const uint8_t *rgb, int width, int height) {
  if (setjmp(png_jmpbuf(png))) return CODEC_CORRUPT;
  // As large as a picture may be here.
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  if ((int64_t)width * height > SEARCHED_PIXELS) png_set_compression_strategy(png, Z_RLE);
  png_set_compression_buffer_size(png, 1 << 20);
  png_write_info(png, info);
  for (int row = 0; row < height; row++) png_write_row(png, rgb + (size_t)row * (size_t)width * 3);
  png_write_end(png, info);
  return CODEC_OK;
}

codec_status codec_png_encode(const uint8_t *rgb, int width, int height, uint8_t **bytes, size_t *count,
                              char message[CODEC_MESSAGE_LENGTH]) {
  png_target target = {.message = message};
  *bytes = NULL;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &target, fail_writing, ignore_warning);
  if (!png) return CODEC_NO_MEMORY;
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &target, write_bytes, flush_bytes);
  codec_status status = info ? encode(png, info, rgb, width, height) : CODEC_NO_MEMORY;
  png_destroy_write_struct(&png, &info);
  if (status != CODEC_OK) {
    free(target.bytes);
    return status;
  }
  *bytes = target.bytes;
  *count = target.count;
  return CODEC_OK;
}
