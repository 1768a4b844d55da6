#include <stdint.h>

/* Says how the encoder that this thread opens next is to be set. */
void sightline_x264_next(uint32_t rate_num, uint32_t rate_den, int buffer_ms);
