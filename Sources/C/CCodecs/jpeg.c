// libjpeg-turbo's libjpeg interface, rather than TurboJPEG: only it tells a file that was cut from one with harmless
// warnings, and only it decodes a part of the rows and columns.
#include "codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

struct codec_jpeg {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  jmp_buf failure;
  int exhausted; // the decoder asked for bytes beyond the end
  int out_of_memory;
  uint8_t *row; // one row, for CMYK and for the columns of a region
  size_t row_capacity;
  char message[CODEC_MESSAGE_LENGTH > JMSG_LENGTH_MAX ? CODEC_MESSAGE_LENGTH : JMSG_LENGTH_MAX];
};

static void fail(j_common_ptr common) {
  codec_jpeg *decoder = (codec_jpeg *)common->client_data;
  common->err->format_message(common, decoder->message);
  decoder->out_of_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
  longjmp(decoder->failure, 1);
}

static void ignore_message(j_common_ptr common) { (void)common; }

static void start_source(j_decompress_ptr info) { (void)info; }

// All bytes are there from the start: being asked for more means that the file was cut. Answering "none yet" suspends
// the decoder, where libjpeg's own memory source would invent an end and paint the rest grey.
static boolean fill_source(j_decompress_ptr info) {
  ((codec_jpeg *)info->client_data)->exhausted = 1;
  return FALSE;
}

static void skip_source(j_decompress_ptr info, long count) {
  struct jpeg_source_mgr *source = info->src;
  if (count <= 0) return;
  size_t skipped = (size_t)count;
  if (skipped > source->bytes_in_buffer) {
    skipped = source->bytes_in_buffer;
    ((codec_jpeg *)info->client_data)->exhausted = 1;
  }
  source->next_input_byte += skipped;
  source->bytes_in_buffer -= skipped;
}

static void end_source(j_decompress_ptr info) { (void)info; }

codec_jpeg *codec_jpeg_create(void) {
  codec_jpeg *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  decoder->info.err = jpeg_std_error(&decoder->errors);
  decoder->info.client_data = decoder;
  decoder->errors.error_exit = fail;
  decoder->errors.output_message = ignore_message;
  if (setjmp(decoder->failure)) {
    free(decoder);
    return NULL;
  }
  jpeg_create_decompress(&decoder->info);
  decoder->info.client_data = decoder;
  decoder->source.init_source = start_source;
  decoder->source.fill_input_buffer = fill_source;
  decoder->source.skip_input_data = skip_source;
  decoder->source.resync_to_restart = jpeg_resync_to_restart;
  decoder->source.term_source = end_source;
  decoder->info.src = &decoder->source;
  return decoder;
}

void codec_jpeg_destroy(codec_jpeg *decoder) {
  if (!decoder) return;
  if (!setjmp(decoder->failure)) jpeg_destroy_decompress(&decoder->info);
  free(decoder->row);
  free(decoder);
}

const char *codec_jpeg_message(const codec_jpeg *decoder) { return decoder->message; }

static codec_status failed(codec_jpeg *decoder) {
  codec_status status = decoder->out_of_memory ? CODEC_NO_MEMORY : CODEC_CORRUPT;
  if (!setjmp(decoder->failure)) jpeg_abort_decompress(&decoder->info);
  return status;
}

static codec_status cut(codec_jpeg *decoder) {
  jpeg_abort_decompress(&decoder->info);
  return CODEC_TRUNCATED;
}

codec_status codec_jpeg_header(codec_jpeg *decoder, const uint8_t *bytes, size_t count, int *width, int *height) {
  decoder->message[0] = 0;
  decoder->exhausted = 0;
  decoder->out_of_memory = 0;
  if (setjmp(decoder->failure)) return failed(decoder);
  jpeg_abort_decompress(&decoder->info);
  decoder->source.next_input_byte = bytes;
  decoder->source.bytes_in_buffer = count;
  if (jpeg_read_header(&decoder->info, TRUE) == JPEG_SUSPENDED) return cut(decoder);
  *width = (int)decoder->info.image_width;
  *height = (int)decoder->info.image_height;
  if (decoder->info.num_components != 1 && decoder->info.num_components != 3 && decoder->info.num_components != 4) {
    snprintf(decoder->message, sizeof decoder->message, "%d colour components", decoder->info.num_components);
    jpeg_abort_decompress(&decoder->info);
    return CODEC_UNSUPPORTED;
  }
  return CODEC_OK;
}

// Files store inverted CMYK, as Adobe does: what is read is 255 minus the ink. Without ink management, each colour is
// the paper's white less ink and black, in 8-bit arithmetic with rounding.
static void cmyk_row_to_rgb(const uint8_t *restrict cmyk, uint8_t *restrict rgb, int width) {
  for (int x = 0; x < width; x++) {
    int white = cmyk[4 * x + 3];
    for (int channel = 0; channel < 3; channel++) {
      int product = (255 - cmyk[4 * x + channel]) * white + 128;
      int value = white - (((product >> 8) + product) >> 8);
      rgb[3 * x + channel] = (uint8_t)(value < 0 ? 0 : value);
    }
  }
}

static int ensure_row(codec_jpeg *decoder, size_t bytes) {
  if (decoder->row_capacity >= bytes) return 1;
  free(decoder->row);
  decoder->row = malloc(bytes);
  decoder->row_capacity = decoder->row ? bytes : 0;
  return decoder->row != NULL;
}

// Whether an end marker follows in what has not been read. In entropy-coded data FF is followed by 00 or a restart
// marker; any other marker starts a segment with its length.
static int reaches_end(const codec_jpeg *decoder) {
  const uint8_t *byte = decoder->source.next_input_byte;
  const uint8_t *end = byte + decoder->source.bytes_in_buffer;
  if (decoder->info.unread_marker == 0xD9) return 1;
  while (end - byte >= 2 && (byte = memchr(byte, 0xFF, (size_t)(end - byte) - 1))) {
    int marker = byte[1];
    if (marker == 0xD9) return 1;
    if (marker == 0xFF) {
      byte += 1;
    } else if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
      byte += 2;
    } else {
      if (end - byte < 4) return 0;
      long length = byte[2] << 8 | byte[3];
      if (length < 2 || end - byte < 2 + length) return 0;
      byte += 2 + length;
    }
  }
  return 0;
}

codec_status codec_jpeg_shrink(codec_jpeg *decoder, int eighths, int *width, int *height) {
  struct jpeg_decompress_struct *info = &decoder->info;
  if (setjmp(decoder->failure)) return failed(decoder);
  if (info->num_components != 4) {
    info->scale_num = (unsigned int)eighths;
    info->scale_denom = 8;
  }
  jpeg_calc_output_dimensions(info);
  *width = (int)info->output_width;
  *height = (int)info->output_height;
  return CODEC_OK;
}

codec_status codec_jpeg_decode(codec_jpeg *decoder, uint8_t *rgb, size_t stride, int left, int right, int bottom) {
  struct jpeg_decompress_struct *info = &decoder->info;
  if (setjmp(decoder->failure)) return failed(decoder);
  int inks = info->num_components == 4;
  info->out_color_space = inks ? JCS_CMYK : JCS_RGB;
  if (!jpeg_start_decompress(info)) return cut(decoder);

  // Colour samples are interpolated from their neighbours ("fancy upsampling"), and the border of a region has none:
  // 32 columns more on either side are at least two blocks of the coarsest sampling anyone uses.
  JDIMENSION first = 0, columns = info->output_width;
  JDIMENSION margin = 32;
  if (!inks && (right - left) + 3 * (int)margin < (int)info->output_width && right > left) {
    first = (JDIMENSION)left > margin ? (JDIMENSION)left - margin : 0;
    JDIMENSION end = (JDIMENSION)right + margin;
    if (end > info->output_width) end = info->output_width;
    columns = end - first;
    jpeg_crop_scanline(info, &first, &columns);
  }
  if (inks && !ensure_row(decoder, (size_t)info->output_width * 4)) {
    jpeg_abort_decompress(info);
    return CODEC_NO_MEMORY;
  }
  while (info->output_scanline < info->output_height) {
    if (!inks && (int)info->output_scanline >= bottom) {
      // The rest is not decoded; but if the data ends before the end marker, the file was cut. (A progressive file
      // was read to its end before its first row came out.)
      if (!jpeg_input_complete(info) && !reaches_end(decoder)) return cut(decoder);
      jpeg_abort_decompress(info);
      return CODEC_OK;
    }
    JSAMPROW rows[4];
    uint8_t *start = rgb + (size_t)info->output_scanline * stride;
    if (inks) {
      rows[0] = decoder->row;
      if (jpeg_read_scanlines(info, rows, 1) == 0) return cut(decoder);
      cmyk_row_to_rgb(decoder->row, start, (int)info->output_width);
    } else {
      JDIMENSION wanted = info->output_height - info->output_scanline;
      if (wanted > 4) wanted = 4;
      for (JDIMENSION i = 0; i < wanted; i++) rows[i] = start + i * stride + (size_t)first * 3;
      if (jpeg_read_scanlines(info, rows, wanted) == 0) return cut(decoder);
    }
  }
  if (!jpeg_finish_decompress(info)) return cut(decoder);
  return CODEC_OK;
}

// MARK: Encoding

typedef struct {
  struct jpeg_compress_struct info;
  struct jpeg_error_mgr errors;
  jmp_buf failure;
  char message[JMSG_LENGTH_MAX];
  int out_of_memory;
  unsigned char *bytes;
  unsigned long count;
} encoder;

static void fail_encoding(j_common_ptr common) {
  encoder *self = (encoder *)common->client_data;
  common->err->format_message(common, self->message);
  self->out_of_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
  longjmp(self->failure, 1);
}

static void encode(encoder *self, const uint8_t *rgb, int width, int height, int quality) {
  struct jpeg_compress_struct *info = &self->info;
  jpeg_create_compress(info);
  info->client_data = self;
  jpeg_mem_dest(info, &self->bytes, &self->count);
  info->image_width = (JDIMENSION)width;
  info->image_height = (JDIMENSION)height;
  info->input_components = 3;
  info->in_color_space = JCS_RGB;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, quality, TRUE);
  jpeg_start_compress(info, TRUE);
  while (info->next_scanline < info->image_height) {
    JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + (size_t)info->next_scanline * (size_t)width * 3);
    jpeg_write_scanlines(info, &row, 1);
  }
  jpeg_finish_compress(info);
}

codec_status codec_jpeg_encode(const uint8_t *rgb, int width, int height, int quality, uint8_t **bytes, size_t *count,
                               char message[CODEC_MESSAGE_LENGTH]) {
  encoder *self = calloc(1, sizeof *self);
  *bytes = NULL;
  *count = 0;
  message[0] = 0;
  if (!self) return CODEC_NO_MEMORY;
  self->info.err = jpeg_std_error(&self->errors);
  self->info.client_data = self;
  self->errors.error_exit = fail_encoding;
  self->errors.output_message = ignore_message;
  codec_status status = CODEC_OK;
  if (setjmp(self->failure)) {
    status = self->out_of_memory ? CODEC_NO_MEMORY : CODEC_UNSUPPORTED;
    snprintf(message, CODEC_MESSAGE_LENGTH, "%s", self->message);
  } else {
    encode(self, rgb, width, height, quality);
  }
  jpeg_destroy_compress(&self->info);
  if (status == CODEC_OK) {
    *bytes = self->bytes;
    *count = self->count;
  } else {
    free(self->bytes);
  }
  free(self);
  return status;
}
