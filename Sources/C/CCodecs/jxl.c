// JPEG XL through libjxl, which is looked for when the first one comes. It turns pictures as their files say.
#include "codecs.h"
#include "library.h"

#include <stdio.h>

#if __has_include(<jxl/decode.h>)
#include <jxl/decode.h>

#define FUNCTIONS(X)                                                                                                          \
  X(JxlDecoderCreate) X(JxlDecoderDestroy) X(JxlDecoderSubscribeEvents) X(JxlDecoderSetInput) X(JxlDecoderCloseInput)          \
  X(JxlDecoderProcessInput) X(JxlDecoderGetBasicInfo) X(JxlDecoderImageOutBufferSize) X(JxlDecoderSetImageOutBuffer)
CODEC_LIBRARY(FUNCTIONS, "libjxl.so.0.7", "libjxl.so.0.8", "libjxl.so.0.9", "libjxl.so.0.10", "libjxl.so.0.11", "libjxl.dylib")

static codec_status run(JxlDecoder *decoder, uint8_t *rgb, int *width, int *height, char *message) {
  const JxlPixelFormat format = {3, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
  size_t wanted = (size_t)*width * (size_t)*height * 3, room = 0;
  for (;;) {
    JxlBasicInfo info;
    switch (lib.JxlDecoderProcessInput(decoder)) {
    case JXL_DEC_BASIC_INFO:
      if (lib.JxlDecoderGetBasicInfo(decoder, &info) != JXL_DEC_SUCCESS || info.xsize > INT32_MAX || info.ysize > INT32_MAX)
        return CODEC_CORRUPT;
      if (rgb && ((int)info.xsize != *width || (int)info.ysize != *height)) return CODEC_CORRUPT;
      *width = (int)info.xsize;
      *height = (int)info.ysize;
      if (!rgb) return CODEC_OK;
      break;
    case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
      if (lib.JxlDecoderImageOutBufferSize(decoder, &format, &room) != JXL_DEC_SUCCESS || room != wanted) return CODEC_CORRUPT;
      if (lib.JxlDecoderSetImageOutBuffer(decoder, &format, rgb, room) != JXL_DEC_SUCCESS) return CODEC_CORRUPT;
      break;
    case JXL_DEC_FULL_IMAGE: return CODEC_OK;
    case JXL_DEC_NEED_MORE_INPUT: return CODEC_TRUNCATED;
    default: snprintf(message, CODEC_MESSAGE_LENGTH, "damaged data"); return CODEC_CORRUPT;
    }
  }
}

codec_status codec_jxl(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                       char message[CODEC_MESSAGE_LENGTH]) {
  message[0] = 0;
  if (!is_there()) return CODEC_ABSENT;
  JxlDecoder *decoder = lib.JxlDecoderCreate(NULL);
  if (!decoder) return CODEC_NO_MEMORY;
  int events = JXL_DEC_BASIC_INFO | (rgb ? JXL_DEC_FULL_IMAGE : 0);
  codec_status status = CODEC_CORRUPT;
  if (lib.JxlDecoderSubscribeEvents(decoder, events) == JXL_DEC_SUCCESS &&
      lib.JxlDecoderSetInput(decoder, bytes, count) == JXL_DEC_SUCCESS) {
    lib.JxlDecoderCloseInput(decoder);
    status = run(decoder, rgb, width, height, message);
  }
  lib.JxlDecoderDestroy(decoder);
  return status;
}

#else

codec_status codec_jxl(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                       char message[CODEC_MESSAGE_LENGTH]) {
  return (void)bytes, (void)count, (void)rgb, (void)width, (void)height, message[0] = 0, CODEC_LEFT_OUT;
}
#endif
