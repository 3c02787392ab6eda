// SHA-256 (FIPS 180-4) of two independent streams at once, by the SHA instructions of x86-64.
//
// One stream cannot keep the SHA unit busy: each step waits for the one before, four cycles on current processors, while
// a new one could start every other cycle. Two streams fill the gaps of each other. Measured on an AMD EPYC (Zen 4): one
// stream 1.78 GB/s, two streams 1.60 GB/s each. Where there are many streams, AVX-512 computes one step of sixteen at once
// in plain arithmetic, which is faster still. docs/decisions/0009-two-digests-at-once.md.

#ifndef DV_SHA256_H
#define DV_SHA256_H

#include <stddef.h>
#include <stdint.h>

/// Whether this processor has what the two functions below need: if not, they must not be called.
int dv_sha256_is_supported(void);

/// Hashes `count` blocks of 64 bytes into a state of eight words.
void dv_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count);

/// Hashes `count` blocks of each of two streams, each into its own state.
void dv_sha256_two(
    uint32_t first_state[8], const uint8_t *first_blocks, uint32_t second_state[8], const uint8_t *second_blocks,
    size_t count);

/// Whether this processor has AVX-512 with bytes and words, and the operating system keeps its registers.
int dv_sha256_sixteen_is_supported(void);

/// Hashes `count` blocks of each of sixteen streams. Word `w` of the state of stream `s` is `states[16 * w + s]`.
///
/// Takes as long as hashing the same blocks of nine streams two at a time.
void dv_sha256_sixteen(uint32_t states[128], const uint8_t *const blocks[16], size_t count);

#endif
