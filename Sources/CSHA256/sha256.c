#include "CSHA256.h"
#include "constants.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

// The instructions keep the eight words of a state as two registers, (a, b, e, f) and (c, d, g, h).
typedef struct {
  __m128i abef, cdgh;
} Lane;

WITH_SHA static inline Lane load_lane(const uint32_t state[8]) {
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
  Lane lane = {_mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xF0)};
  return lane;
}

WITH_SHA static inline void store_lane(Lane lane, uint32_t state[8]) {
  __m128i low = _mm_shuffle_epi32(lane.abef, 0x1B);
  __m128i high = _mm_shuffle_epi32(lane.cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/// Loads four big-endian words.
WITH_SHA static inline __m128i load_words(const uint8_t *bytes) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), order);
}

// Four rounds with the message words of `w`, and the next four message words in place of the oldest.
#define FOUR_ROUNDS(lane, w, k)                                                  \
  do {                                                                           \
    __m128i sum = _mm_add_epi32(w, k);                                           \
    lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);                \
    lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(sum, 0x0E)); \
  } while (0)
#define NEXT_WORDS(w0, w1, w2, w3) \
  w0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3)
#define CONSTANTS(i) _mm_load_si128((const __m128i *)&dv_sha256_constants[4 * (i)])

WITH_SHA void dv_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count) {
  Lane a = load_lane(state);
  for (; count > 0; count--, blocks += 64) {
    Lane before = a;
    __m128i w0 = load_words(blocks), w1 = load_words(blocks + 16);
    __m128i w2 = load_words(blocks + 32), w3 = load_words(blocks + 48);
#pragma unroll
    for (int i = 0; i < 16; i += 4) {
      FOUR_ROUNDS(a, w0, CONSTANTS(i));
      FOUR_ROUNDS(a, w1, CONSTANTS(i + 1));
      FOUR_ROUNDS(a, w2, CONSTANTS(i + 2));
      FOUR_ROUNDS(a, w3, CONSTANTS(i + 3));
      if (i == 12) break;
      NEXT_WORDS(w0, w1, w2, w3);
      NEXT_WORDS(w1, w2, w3, w0);
      NEXT_WORDS(w2, w3, w0, w1);
      NEXT_WORDS(w3, w0, w1, w2);
    }
    a.abef = _mm_add_epi32(a.abef, before.abef);
    a.cdgh = _mm_add_epi32(a.cdgh, before.cdgh);
  }
  store_lane(a, state);
}

WITH_SHA void dv_sha256_two(
    uint32_t first_state[8], const uint8_t *first_blocks, uint32_t second_state[8], const uint8_t *second_blocks,
    size_t count) {
  Lane a = load_lane(first_state), b = load_lane(second_state);
  for (; count > 0; count--, first_blocks += 64, second_blocks += 64) {
    Lane before_a = a, before_b = b;
    __m128i v0 = load_words(first_blocks), v1 = load_words(first_blocks + 16);
    __m128i v2 = load_words(first_blocks + 32), v3 = load_words(first_blocks + 48);
    __m128i w0 = load_words(second_blocks), w1 = load_words(second_blocks + 16);
    __m128i w2 = load_words(second_blocks + 32), w3 = load_words(second_blocks + 48);
#define ROUNDS_OF_BOTH(v, w, i)         \
  do {                                  \
    __m128i k = CONSTANTS(i);           \
    __m128i sum_a = _mm_add_epi32(v, k), sum_b = _mm_add_epi32(w, k); \
    a.cdgh = _mm_sha256rnds2_epu32(a.cdgh, a.abef, sum_a); \
    b.cdgh = _mm_sha256rnds2_epu32(b.cdgh, b.abef, sum_b); \
    a.abef = _mm_sha256rnds2_epu32(a.abef, a.cdgh, _mm_shuffle_epi32(sum_a, 0x0E)); \
    b.abef = _mm_sha256rnds2_epu32(b.abef, b.cdgh, _mm_shuffle_epi32(sum_b, 0x0E)); \
  } while (0)
#pragma unroll
    for (int i = 0; i < 16; i += 4) {
      ROUNDS_OF_BOTH(v0, w0, i);
      if (i < 12) { NEXT_WORDS(v0, v1, v2, v3); NEXT_WORDS(w0, w1, w2, w3); }
      ROUNDS_OF_BOTH(v1, w1, i + 1);
      if (i < 12) { NEXT_WORDS(v1, v2, v3, v0); NEXT_WORDS(w1, w2, w3, w0); }
      ROUNDS_OF_BOTH(v2, w2, i + 2);
      if (i < 12) { NEXT_WORDS(v2, v3, v0, v1); NEXT_WORDS(w2, w3, w0, w1); }
      ROUNDS_OF_BOTH(v3, w3, i + 3);
      if (i < 12) { NEXT_WORDS(v3, v0, v1, v2); NEXT_WORDS(w3, w0, w1, w2); }
    }
    a.abef = _mm_add_epi32(a.abef, before_a.abef);
    a.cdgh = _mm_add_epi32(a.cdgh, before_a.cdgh);
    b.abef = _mm_add_epi32(b.abef, before_b.abef);
    b.cdgh = _mm_add_epi32(b.cdgh, before_b.cdgh);
  }
  store_lane(a, first_state);
  store_lane(b, second_state);
}

int dv_sha256_is_supported(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}

#else

int dv_sha256_is_supported(void) { return 0; }

void dv_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count) { __builtin_trap(); }

void dv_sha256_two(
    uint32_t first_state[8], const uint8_t *first_blocks, uint32_t second_state[8], const uint8_t *second_blocks,
    size_t count) {
  __builtin_trap();
}

#endif
