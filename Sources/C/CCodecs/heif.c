// AVIF and HEIC through libheif, which is looked for when the first of them comes. It turns and mirrors them as their files say.
#include "codecs.h"
#include "library.h"

#include <stdio.h>
#include <string.h>

#if __has_include(<libheif/heif.h>)
#include <libheif/heif.h>

#define FUNCTIONS(X)                                                                                                          \
  X(heif_context_alloc) X(heif_context_free) X(heif_context_read_from_memory_without_copy)                                     \
  X(heif_context_get_primary_image_handle) X(heif_image_handle_release) X(heif_image_handle_get_width)                         \
  X(heif_image_handle_get_height) X(heif_decode_image) X(heif_image_release) X(heif_image_get_plane_readonly)                  \
  X(heif_image_get_width) X(heif_image_get_height) X(heif_decoding_options_alloc) X(heif_decoding_options_free)
CODEC_LIBRARY(FUNCTIONS, "libheif.so.1", "libheif.1.dylib")

static codec_status failed(struct heif_error error, char *message) {
  if (error.code == heif_error_Ok) return CODEC_OK;
  snprintf(message, CODEC_MESSAGE_LENGTH, "%s", error.message ? error.message : "damaged data");
  if (error.subcode == heif_suberror_End_of_data) return CODEC_TRUNCATED;
  if (error.code == heif_error_Memory_allocation_error) return CODEC_NO_MEMORY;
  int unknown = error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  return unknown ? CODEC_UNSUPPORTED : CODEC_CORRUPT;
}

codec_status codec_heif(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                        char message[CODEC_MESSAGE_LENGTH]) {
  message[0] = 0;
  if (!is_there()) return CODEC_ABSENT;
  struct heif_context *context = lib.heif_context_alloc();
  if (!context) return CODEC_NO_MEMORY;
  struct heif_image_handle *handle = NULL;
  struct heif_image *image = NULL;
  codec_status status = failed(lib.heif_context_read_from_memory_without_copy(context, bytes, count, NULL), message);
  if (status == CODEC_OK) status = failed(lib.heif_context_get_primary_image_handle(context, &handle), message);
  if (status == CODEC_OK && !rgb) {
    *width = lib.heif_image_handle_get_width(handle);
    *height = lib.heif_image_handle_get_height(handle);
  } else if (status == CODEC_OK) {
    struct heif_decoding_options *options = lib.heif_decoding_options_alloc();
    if (options) options->convert_hdr_to_8bit = 1;
    status = failed(lib.heif_decode_image(handle, &image, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options), message);
    if (options) lib.heif_decoding_options_free(options);
    int stride = 0;
    const enum heif_channel all = heif_channel_interleaved;
    const uint8_t *plane = status == CODEC_OK ? lib.heif_image_get_plane_readonly(image, all, &stride) : NULL;
    if (status == CODEC_OK && (!plane || stride < 3 * *width || lib.heif_image_get_width(image, all) != *width ||
                               lib.heif_image_get_height(image, all) != *height)) {
      snprintf(message, CODEC_MESSAGE_LENGTH, "its size is not the one it states");
      status = CODEC_CORRUPT;
    }
    for (int y = 0; status == CODEC_OK && y < *height; y++)
      memcpy(rgb + (size_t)y * (size_t)*width * 3, plane + (size_t)y * (size_t)stride, (size_t)*width * 3);
  }
  if (image) lib.heif_image_release(image);
  if (handle) lib.heif_image_handle_release(handle);
  lib.heif_context_free(context);
  return status;
}

#else

codec_status codec_heif(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                        char message[CODEC_MESSAGE_LENGTH]) {
  return (void)bytes, (void)count, (void)rgb, (void)width, (void)height, message[0] = 0, CODEC_LEFT_OUT;
}
#endif
