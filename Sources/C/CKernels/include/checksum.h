// CRC-32C, the checksum of a row's blobs.
#ifndef NDX_CHECKSUM_H
#define NDX_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// The CRC-32C (Castagnoli, polynomial 0x1EDC6F41, as of iSCSI and ext4) of bytes that follow those whose CRC is `crc`; 0 for none.
uint32_t ndx_checksum(uint32_t crc, const void *bytes, size_t count);

/// The same without special instructions, as on processors that have none for it.
uint32_t ndx_checksum_portable(uint32_t crc, const void *bytes, size_t count);

/// The checksums of `rows` stretches of `length` bytes that follow one another. Programs that load the extension may call it.
__attribute__((visibility("default")))
void ndx_checksum_rows(const void *bytes, size_t rows, size_t length, uint32_t *sums);

#endif
