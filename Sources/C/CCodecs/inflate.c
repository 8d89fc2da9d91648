// Packed texts of PNG, which libpng is told to step over.
#include "codecs.h"

#include <zlib.h>

codec_status codec_inflate(const uint8_t *bytes, size_t length, uint8_t *out, size_t *count) {
  uLongf room = (uLongf)*count;
  int code = uncompress(out, &room, bytes, (uLong)length);
  *count = room;
  switch (code) {
  case Z_OK: return CODEC_OK;
  case Z_BUF_ERROR: return CODEC_UNSUPPORTED;
  case Z_MEM_ERROR: return CODEC_NO_MEMORY;
  default: return CODEC_CORRUPT;
  }
}
