#include "codecs.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

codec_status codec_webp_header(const uint8_t *bytes, size_t count, int *width, int *height, int *animated) {
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures(bytes, count, &features);
  if (code == VP8_STATUS_NOT_ENOUGH_DATA) return CODEC_TRUNCATED;
  if (code == VP8_STATUS_OUT_OF_MEMORY) return CODEC_NO_MEMORY;
  if (code != VP8_STATUS_OK) return CODEC_CORRUPT;
  *width = features.width;
  *height = features.height;
  *animated = features.has_animation;
  return CODEC_OK;
}

static codec_status decode_first_frame(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height) {
  WebPData data = {bytes, count};
  WebPAnimDecoderOptions options;
  WebPAnimInfo info;
  if (!WebPAnimDecoderOptionsInit(&options)) return CODEC_UNSUPPORTED;
  WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
  if (!decoder) return CODEC_CORRUPT;
  uint8_t *frame = NULL;
  int timestamp = 0;
  codec_status status = CODEC_CORRUPT;
  if (WebPAnimDecoderGetInfo(decoder, &info) && (int)info.canvas_width == width && (int)info.canvas_height == height &&
      WebPAnimDecoderGetNext(decoder, &frame, &timestamp)) {
    size_t pixels = (size_t)width * (size_t)height;
    for (size_t i = 0; i < pixels; i++) memcpy(rgb + 3 * i, frame + 4 * i, 3);
    status = CODEC_OK;
  }
  WebPAnimDecoderDelete(decoder);
  return status;
}

codec_status codec_webp_decode(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height, int animated) {
  if (animated) return decode_first_frame(bytes, count, rgb, width, height);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return CODEC_UNSUPPORTED;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = rgb;
  config.output.u.RGBA.stride = 3 * width;
  config.output.u.RGBA.size = (size_t)width * (size_t)height * 3;
  switch (WebPDecode(bytes, count, &config)) {
  case VP8_STATUS_OK: return CODEC_OK;
  case VP8_STATUS_NOT_ENOUGH_DATA:
  case VP8_STATUS_SUSPENDED: return CODEC_TRUNCATED;
  case VP8_STATUS_OUT_OF_MEMORY: return CODEC_NO_MEMORY;
  case VP8_STATUS_UNSUPPORTED_FEATURE: return CODEC_UNSUPPORTED;
  default: return CODEC_CORRUPT;
  }
}
