//go:build device && cgo && !openh264

/*
 * mediadevices does not let its caller set some parameters of x264. It calls
 * x264_param_apply_profile when it has set the others and before it opens the encoder;
 * the linker sends that call here (--wrap).
 */
#include <stdint.h>
#include <x264.h>
#include "x264_wrap.h"

static _Thread_local struct {
  uint32_t rate_num, rate_den;
  int buffer_ms;
} next;

void sightline_x264_next(uint32_t rate_num, uint32_t rate_den, int buffer_ms) {
  next.rate_num = rate_num;
  next.rate_den = rate_den;
  next.buffer_ms = buffer_ms;
}

int __real_x264_param_apply_profile(x264_param_t *p, const char *profile);

int __wrap_x264_param_apply_profile(x264_param_t *p, const char *profile) {
  if (next.rate_num > 0) {
    /* It assumes 25 pictures a second otherwise, and misses the bitrate by as much. */
    p->i_fps_num = next.rate_num;
    p->i_fps_den = next.rate_den;
    /* 2 s of the bitrate otherwise. */
    p->rc.i_vbv_buffer_size = (int)((int64_t)p->rc.i_vbv_max_bitrate * next.buffer_ms / 1000);
    if (p->rc.i_vbv_buffer_size < 1)
      p->rc.i_vbv_buffer_size = 1;
    /* Not a dozen lines to standard error for every camera that comes and goes. */
    p->i_log_level = X264_LOG_ERROR;
    /* USB Video Class, colour matching: BT.709 but for the matrix of BT.601. */
    p->vui.i_colorprim = 1;
    p->vui.i_transfer = 1;
    p->vui.i_colmatrix = 6;
    p->vui.b_fullrange = 0;
    next.rate_num = 0;
  }
  return __real_x264_param_apply_profile(p, profile);
}
