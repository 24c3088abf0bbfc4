#include <zlib.h>

/* inflateInit2 is a macro that Swift does not import; this is its expansion. */
static inline int snn_inflate_init(z_stream *stream, int window_bits)
{
    return inflateInit2(stream, window_bits);
}
