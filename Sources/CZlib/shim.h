#ifndef DV_CZLIB_SHIM_H
#define DV_CZLIB_SHIM_H
#include <zlib.h>

/* deflateInit2 and inflateInit2 are macros, which Swift cannot call. */
static inline int dv_deflateInit2(z_streamp stream, int level, int window_bits, int memory_level, int strategy) {
  return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, strategy);
}

static inline int dv_inflateInit2(z_streamp stream, int window_bits) { return inflateInit2(stream, window_bits); }
#endif
