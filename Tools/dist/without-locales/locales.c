// Stands for ICU's tables of locales, 34 MB that Foundation brings and neurodex never asks: numbers, dates and texts are the same everywhere.
// A package of data without an item, as ICU's own stubdata.cpp
// (https://github.com/unicode-org/icu/blob/main/icu4c/source/stubdata/stubdata.cpp). ICU_DATA is the symbol's name, such as icudt76_dat.
#include <stdint.h>

const struct {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size, reserved;
    uint8_t is_big_endian, charset, char_size, reserved_byte, format[4], format_version[4], data_version[4], padding[8];
    uint32_t count, unused;
} ICU_DATA __attribute__((aligned(16))) = {
    .header_size = 32, .magic = {0xda, 0x27}, .info_size = 20, .char_size = 2, .format = {'T', 'o', 'C', 'P'}, .format_version = {1},
};
