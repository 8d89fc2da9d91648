// Packed texts of PNG, which libpng is told to step over, and files in a zip.
#include "codecs.h"

#include <string.h>

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

codec_status codec_inflate_raw(const uint8_t *bytes, size_t length, uint8_t *out, size_t *count) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (length > UINT32_MAX || *count > UINT32_MAX) return CODEC_UNSUPPORTED;
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return CODEC_NO_MEMORY;
  uint8_t nothing;
  stream.next_in = (uint8_t *)bytes;
  stream.avail_in = (uInt)length;
  stream.next_out = *count ? out : &nothing;
  stream.avail_out = (uInt)*count;
  int code = inflate(&stream, Z_FINISH);
  *count = stream.total_out;
  inflateEnd(&stream);
  return code == Z_STREAM_END ? CODEC_OK : code == Z_BUF_ERROR ? CODEC_UNSUPPORTED : CODEC_CORRUPT;
}
