// libpng's classic interface for reading, since the simplified one applies gamma; the simplified one for writing.
#include "codecs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

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

codec_status codec_png_decode(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height,
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
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
  }
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t row_bytes = (size_t)width * (palette ? 1 : 3), stride = (size_t)width * 3;
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "an unexpected row length");
  for (int pass = 0; pass < passes; pass++)
    for (int y = 0; y < height; y++) png_read_row(png, rgb + (size_t)y * stride, NULL);
  if (palette)
    for (int y = 0; y < height; y++) expand_palette(rgb + (size_t)y * stride, width, colours);
  png_infop freed = info;
  png_destroy_read_struct(&png, &freed, NULL);
  return CODEC_OK;
}

codec_status codec_png_encode(const uint8_t *rgb, int width, int height, uint8_t **bytes, size_t *count,
                              char message[CODEC_MESSAGE_LENGTH]) {
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  *bytes = malloc(size);
  if (!*bytes) return CODEC_NO_MEMORY;
  if (!png_image_write_to_memory(&image, *bytes, &size, 0, rgb, 0, NULL)) {
    snprintf(message, CODEC_MESSAGE_LENGTH, "%s", image.message);
    free(*bytes);
    *bytes = NULL;
    return CODEC_CORRUPT;
  }
  *count = size;
  return CODEC_OK;
}
