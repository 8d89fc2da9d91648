/// The image libraries behind one small C interface. Their errors jump (`setjmp`); here they are caught in C and
/// returned as a status, so that no jump ever crosses a Swift frame. Nothing above this target knows their headers.
#ifndef NEURODEX_CODECS_H
#define NEURODEX_CODECS_H

#include <stddef.h>
#include <stdint.h>

/// What came of a call.
typedef enum {
  CODEC_OK = 0,
  CODEC_TRUNCATED = 1,   // the bytes end before the picture does
  CODEC_CORRUPT = 2,     // the library refuses the bytes; its message says why
  CODEC_UNSUPPORTED = 3, // well formed, but a kind that is not decoded
  CODEC_NO_MEMORY = 4,
  CODEC_ABSENT = 5,      // the library is not on this machine
  CODEC_LEFT_OUT = 6,    // the program was built without the library's headers
} codec_status;

/// The longest message a library writes, with its final zero.
#define CODEC_MESSAGE_LENGTH 200

// zlib ---------------------------------------------------------------------------------------------------------------

/// Unpacks at most `*count` bytes to `out`, and says how many in `*count`. CODEC_UNSUPPORTED: there are more.
codec_status codec_inflate(const uint8_t *bytes, size_t length, uint8_t *out, size_t *count);

/// The same of bytes without zlib's header and sum, as a zip has them.
codec_status codec_inflate_raw(const uint8_t *bytes, size_t length, uint8_t *out, size_t *count);

/// Unpacks a whole file of gzip or Zstandard to another, both open, and says how many bytes that made.
///
/// CODEC_UNSUPPORTED: it makes more than `limit`. CODEC_NO_MEMORY: it cannot be written, with the system's reason.
codec_status codec_unpack(int in, int out, int is_zstd, uint64_t limit, uint64_t *count, char message[CODEC_MESSAGE_LENGTH]);

/// The checksum of PNG and zip (ISO 3309).
uint32_t codec_crc32(const uint8_t *bytes, size_t count);

// JPEG ---------------------------------------------------------------------------------------------------------------

/// A JPEG decoder that is used again and again, by one thread.
typedef struct codec_jpeg codec_jpeg;

codec_jpeg *codec_jpeg_create(void);
void codec_jpeg_destroy(codec_jpeg *decoder);

/// Reads the header; `bytes` must stay valid until the decode that follows. Sizes are as stored, before orientation.
codec_status codec_jpeg_header(codec_jpeg *decoder, const uint8_t *bytes, size_t count, int *width, int *height);

/// Decodes after a successful `codec_jpeg_header`: rows of 3 bytes a pixel, `stride` bytes apart, to `rgb`, which
/// has room for the whole picture.
///
/// Only columns `left ..< right` of rows `0 ..< bottom` are promised; other pixels of `rgb` are left undefined. The
/// pixels inside are those of a whole decode, bit for bit, and a truncated file is noticed wherever it was cut. For the
/// crop of 224 from 256 this takes a tenth off the time; skipping the rows above takes nothing more off.
codec_status codec_jpeg_decode(codec_jpeg *decoder, uint8_t *rgb, size_t stride, int left, int right, int bottom);

/// Lets the decode that follows give a smaller picture, of `eighths` (1 to 8) of the size, rounded up, which the call writes: a JPEG's
/// blocks are 8×8 waves, of which only the slow ones are then summed. Not for CMYK: there it stays whole. Between header and decode.
codec_status codec_jpeg_shrink(codec_jpeg *decoder, int eighths, int *width, int *height);

/// Encodes RGB to a baseline JPEG with colours of half the resolution. `*bytes` is allocated by the call and freed with `free`.
/// `quality` is 1 to 100.
codec_status codec_jpeg_encode(const uint8_t *rgb, int width, int height, int quality, uint8_t **bytes, size_t *count,
                               char message[CODEC_MESSAGE_LENGTH]);

/// What the library said of the last failure; empty after none.
const char *codec_jpeg_message(const codec_jpeg *decoder);

// PNG ----------------------------------------------------------------------------------------------------------------

/// Decodes a whole PNG of a known size (from its IHDR) to 3 bytes a pixel: alpha and gamma are ignored, 16 bits become
/// their high 8, an index beyond the palette is that grey.
codec_status codec_png_decode(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height,
                              char message[CODEC_MESSAGE_LENGTH]);

/// The levels of a PNG of 16 bits as numbers, 0 to 65535: height × width × `samples`, 1 of grey and 3 of colours; alpha and gamma are
/// ignored.
codec_status codec_png_numbers(const uint8_t *bytes, size_t count, float *values, int width, int height, int samples,
                               char message[CODEC_MESSAGE_LENGTH]);

/// Encodes RGB to PNG. `*bytes` is allocated by the call and freed with `free`.
codec_status codec_png_encode(const uint8_t *rgb, int width, int height, uint8_t **bytes, size_t *count,
                              char message[CODEC_MESSAGE_LENGTH]);

// WebP ---------------------------------------------------------------------------------------------------------------

/// The size of a WebP (of the canvas, when animated).
codec_status codec_webp_header(const uint8_t *bytes, size_t count, int *width, int *height, int *animated);

/// Decodes a WebP, or the first frame of an animated one, to 3 bytes a pixel; alpha is dropped.
codec_status codec_webp_decode(const uint8_t *bytes, size_t count, uint8_t *rgb, int width, int height, int animated);

// TIFF, AVIF, HEIC, JPEG XL: by libraries that are looked for at run time ---------------------------------------------

/// What is known of a picture before it is decoded.
typedef struct {
  int width, height; // as stored, before orientation
  int orientation;   // by the numbers of EXIF
  int bits, samples; // of a sample, of a pixel
  int extra;         // samples beyond those of the colour, the first of which is opacity as a rule
  int is_float, is_signed, is_premultiplied;
  int is_array; // samples are numbers, and no levels of 1, 3 or 4 colours
  int is_plain, is_inverted; // levels of grey or of red, green and blue, as they are; of grey, 0 is white
} codec_raster;

codec_status codec_tiff_header(const uint8_t *bytes, size_t count, codec_raster *raster, char message[CODEC_MESSAGE_LENGTH]);

/// Decodes the first page to 3 bytes a pixel, rows as stored: opacity is dropped, more than 8 bits become their high 8.
codec_status codec_tiff_decode(const uint8_t *bytes, size_t count, const codec_raster *raster, uint8_t *rgb,
                               char message[CODEC_MESSAGE_LENGTH]);

/// The first page's samples as numbers, height × width × samples.
codec_status codec_tiff_numbers(const uint8_t *bytes, size_t count, const codec_raster *raster, float *values,
                                char message[CODEC_MESSAGE_LENGTH]);

/// AVIF and HEIC, the first picture. With `rgb` NULL the size alone is found, as seen; else `rgb` has room for that size, at 3
/// bytes a pixel.
codec_status codec_heif(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                        char message[CODEC_MESSAGE_LENGTH]);

/// JPEG XL, the same.
codec_status codec_jxl(const uint8_t *bytes, size_t count, uint8_t *rgb, int *width, int *height,
                       char message[CODEC_MESSAGE_LENGTH]);

#endif
