#include "CSHA256.h"
#include "constants.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

// Sixteen streams side by side: each register holds one word of all of them, and the steps are those of FIPS 180-4, 6.2.2.

#define WITH_512 __attribute__((target("avx512f,avx512bw")))

/// Turns row i, sixteen words of stream i, into column i: word i of each stream.
WITH_512 static inline void transpose(__m512i r[16]) {
  __m512i t[16];
#pragma unroll
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma unroll
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // Quarter q of r[4 * g + k] is word 4 * q + k of the streams 4 * g to 4 * g + 3 now. Even quarters go to the front half of t.
#pragma unroll
  for (int k = 0; k < 4; k++) {
    t[k] = _mm512_shuffle_i32x4(r[k], r[4 + k], 0x88);
    t[4 + k] = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0x88);
    t[8 + k] = _mm512_shuffle_i32x4(r[k], r[4 + k], 0xDD);
    t[12 + k] = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0xDD);
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    r[k] = _mm512_shuffle_i32x4(t[k], t[4 + k], 0x88);
    r[4 + k] = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0x88);
    r[8 + k] = _mm512_shuffle_i32x4(t[k], t[4 + k], 0xDD);
    r[12 + k] = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0xDD);
  }
}

#define ADD(x, y) _mm512_add_epi32(x, y)
#define ROTATED(x, n) _mm512_ror_epi32(x, n)
// The last operand is the truth table of the three inputs.
#define PARITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CHOICE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xCA)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xE8)

#define ROUND(a, b, c, d, e, f, g, h, word, i)                                                                    \
  do {                                                                                                            \
    __m512i sum = ADD(h, ADD(word, _mm512_set1_epi32((int)dv_sha256_constants[i])));                              \
    sum = ADD(sum, ADD(PARITY(ROTATED(e, 6), ROTATED(e, 11), ROTATED(e, 25)), CHOICE(e, f, g)));                  \
    d = ADD(d, sum);                                                                                              \
    h = ADD(sum, ADD(PARITY(ROTATED(a, 2), ROTATED(a, 13), ROTATED(a, 22)), MAJORITY(a, b, c)));                  \
  } while (0)

// The message word that comes sixteen after w[i], in its place.
#define NEXT_WORD(w, i)                                                                                           \
  do {                                                                                                            \
    __m512i near = w[((i) + 1) & 15], far = w[((i) + 14) & 15];                                                   \
    w[i] = ADD(ADD(w[i], w[((i) + 9) & 15]),                                                                      \
        ADD(PARITY(ROTATED(near, 7), ROTATED(near, 18), _mm512_srli_epi32(near, 3)),                              \
            PARITY(ROTATED(far, 17), ROTATED(far, 19), _mm512_srli_epi32(far, 10))));                             \
  } while (0)

// Eight rounds bring each variable back to its name. `i` counts rounds, `o` words.
#define EIGHT_ROUNDS(w, o, i)                                                                                     \
  do {                                                                                                            \
    ROUND(a, b, c, d, e, f, g, h, w[o], i);                                                                       \
    ROUND(h, a, b, c, d, e, f, g, w[(o) + 1], (i) + 1);                                                           \
    ROUND(g, h, a, b, c, d, e, f, w[(o) + 2], (i) + 2);                                                           \
    ROUND(f, g, h, a, b, c, d, e, w[(o) + 3], (i) + 3);                                                           \
    ROUND(e, f, g, h, a, b, c, d, w[(o) + 4], (i) + 4);                                                           \
    ROUND(d, e, f, g, h, a, b, c, w[(o) + 5], (i) + 5);                                                           \
    ROUND(c, d, e, f, g, h, a, b, w[(o) + 6], (i) + 6);                                                           \
    ROUND(b, c, d, e, f, g, h, a, w[(o) + 7], (i) + 7);                                                           \
  } while (0)

WITH_512 void dv_sha256_sixteen(uint32_t states[128], const uint8_t *const blocks[16], size_t count) {
  const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL));
  __m512i s[8];
#pragma unroll
  for (int i = 0; i < 8; i++) s[i] = _mm512_loadu_si512(states + 16 * i);
  for (size_t offset = 0; offset < 64 * count; offset += 64) {
    __m512i w[16];
#pragma unroll
    for (int i = 0; i < 16; i++) w[i] = _mm512_loadu_si512(blocks[i] + offset);
    transpose(w);
#pragma unroll
    for (int i = 0; i < 16; i++) w[i] = _mm512_shuffle_epi8(w[i], big_endian);
    __m512i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
    EIGHT_ROUNDS(w, 0, 0);
    EIGHT_ROUNDS(w, 8, 8);
#pragma unroll
    for (int round = 16; round < 64; round += 16) {
#pragma unroll
      for (int i = 0; i < 8; i++) NEXT_WORD(w, i);
      EIGHT_ROUNDS(w, 0, round);
#pragma unroll
      for (int i = 8; i < 16; i++) NEXT_WORD(w, i);
      EIGHT_ROUNDS(w, 8, round + 8);
    }
    s[0] = ADD(s[0], a);
    s[1] = ADD(s[1], b);
    s[2] = ADD(s[2], c);
    s[3] = ADD(s[3], d);
    s[4] = ADD(s[4], e);
    s[5] = ADD(s[5], f);
    s[6] = ADD(s[6], g);
    s[7] = ADD(s[7], h);
  }
#pragma unroll
  for (int i = 0; i < 8; i++) _mm512_storeu_si512(states + 16 * i, s[i]);
}

__attribute__((target("xsave"))) static unsigned long long kept_registers(void) { return _xgetbv(0); }

int dv_sha256_sixteen_is_supported(void) {
  // XMM, YMM, and the three parts of what AVX-512 adds.
  const unsigned long long needed = 0xE6;
  const unsigned f = 1u << 16, bw = 1u << 30;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  if ((kept_registers() & needed) != needed) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & f) && (b & bw);
}

#else

int dv_sha256_sixteen_is_supported(void) { return 0; }

void dv_sha256_sixteen(uint32_t states[128], const uint8_t *const blocks[16], size_t count) { __builtin_trap(); }

#endif
