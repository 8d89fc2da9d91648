// Archives that are compressed as a whole: gzip by zlib, Zstandard by libzstd, which is looked for when the first such comes.
#include "codecs.h"
#include "library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

// What is used of libzstd, whose interface these have been since 1.0.
typedef struct {
  const void *src;
  size_t size, pos;
} ZSTD_inBuffer;
typedef struct {
  void *dst;
  size_t size, pos;
} ZSTD_outBuffer;
void *ZSTD_createDStream(void);
size_t ZSTD_freeDStream(void *stream);
size_t ZSTD_decompressStream(void *stream, ZSTD_outBuffer *out, ZSTD_inBuffer *in);
unsigned ZSTD_isError(size_t code);
const char *ZSTD_getErrorName(size_t code);

#define FUNCTIONS(X)                                                                                                          \
  X(ZSTD_createDStream) X(ZSTD_freeDStream) X(ZSTD_decompressStream) X(ZSTD_isError) X(ZSTD_getErrorName)
CODEC_LIBRARY(FUNCTIONS, "libzstd.so.1", "libzstd.1.dylib")

enum { CHUNK = 1 << 18 };

typedef struct {
  z_stream zlib;
  void *zstd;
  const uint8_t *in;
  uint8_t *out;
  size_t in_left, made; // bytes that are still to be unpacked; bytes in `out`
  int is_done;          // at the end of a member or frame: the file may end here
} state;

// Unpacks some of `in` to `out`.
static codec_status step_zlib(state *s, char *message) {
  if (s->is_done) {
    // What follows is another member, or padding that is passed over.
    if (s->in[0] != 0x1F || inflateReset(&s->zlib) != Z_OK) {
      s->in_left = 0;
      return CODEC_OK;
    }
    s->is_done = 0;
  }
  s->zlib.next_in = (uint8_t *)s->in;
  s->zlib.avail_in = (uInt)s->in_left;
  s->zlib.next_out = s->out;
  s->zlib.avail_out = CHUNK;
  int code = inflate(&s->zlib, Z_NO_FLUSH);
  s->in += s->in_left - s->zlib.avail_in;
  s->in_left = s->zlib.avail_in;
  s->made = CHUNK - s->zlib.avail_out;
  s->is_done = code == Z_STREAM_END;
  if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return CODEC_OK;
  snprintf(message, CODEC_MESSAGE_LENGTH, "%s", s->zlib.msg ? s->zlib.msg : "damaged data");
  return CODEC_CORRUPT;
}

static codec_status step_zstd(state *s, char *message) {
  ZSTD_inBuffer in = {s->in, s->in_left, 0};
  ZSTD_outBuffer out = {s->out, CHUNK, 0};
  size_t code = lib.ZSTD_decompressStream(s->zstd, &out, &in);
  s->in += in.pos;
  s->in_left -= in.pos;
  s->made = out.pos;
  s->is_done = code == 0;
  if (!lib.ZSTD_isError(code)) return CODEC_OK;
  snprintf(message, CODEC_MESSAGE_LENGTH, "%s", lib.ZSTD_getErrorName(code));
  return CODEC_CORRUPT;
}

static codec_status write_all(int file, const uint8_t *bytes, size_t count, char *message) {
  while (count) {
    ssize_t done = write(file, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      snprintf(message, CODEC_MESSAGE_LENGTH, "%s", strerror(errno));
      return CODEC_NO_MEMORY;
    }
    bytes += done;
    count -= (size_t)done;
  }
  return CODEC_OK;
}

static codec_status pump(state *s, int in, int out, uint8_t *packed, uint64_t limit, uint64_t *count, char *message) {
  codec_status status = CODEC_OK;
  *count = 0;
  for (;;) {
    ssize_t got = read(in, packed, CHUNK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      snprintf(message, CODEC_MESSAGE_LENGTH, "%s", strerror(errno));
      return CODEC_TRUNCATED;
    }
    if (got == 0) return s->is_done ? CODEC_OK : CODEC_TRUNCATED;
    s->in = packed;
    s->in_left = (size_t)got;
    // Whatever fits into `out` may have left more behind: as long as it is filled, there may be some.
    do {
      s->made = 0;
      status = s->zstd ? step_zstd(s, message) : step_zlib(s, message);
      *count += s->made;
      if (status == CODEC_OK && *count > limit) return CODEC_UNSUPPORTED;
      if (status == CODEC_OK) status = write_all(out, s->out, s->made, message);
      if (status != CODEC_OK) return status;
    } while (s->in_left > 0 || s->made == CHUNK);
  }
}

codec_status codec_unpack(int in, int out, int is_zstd, uint64_t limit, uint64_t *count, char message[CODEC_MESSAGE_LENGTH]) {
  state s;
  memset(&s, 0, sizeof s);
  message[0] = 0;
  if (is_zstd && !is_there()) return CODEC_ABSENT;
  // 16: with gzip's header and sums.
  if (is_zstd ? !(s.zstd = lib.ZSTD_createDStream()) : inflateInit2(&s.zlib, MAX_WBITS + 16) != Z_OK) return CODEC_NO_MEMORY;
  uint8_t *buffers = malloc(2 * (size_t)CHUNK);
  codec_status status = CODEC_NO_MEMORY;
  if (buffers) {
    s.out = buffers + CHUNK;
    status = pump(&s, in, out, buffers, limit, count, message);
  }
  free(buffers);
  if (is_zstd) lib.ZSTD_freeDStream(s.zstd);
  else inflateEnd(&s.zlib);
  return status;
}

uint32_t codec_crc32(const uint8_t *bytes, size_t count) { return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, count); }
