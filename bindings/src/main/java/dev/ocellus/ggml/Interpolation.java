package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;

/** How {@link FeatureMaps#interpolate} finds values between those that it has, as in PyTorch. */
public enum Interpolation {
  /** Corners of pixels align: {@code mode="bilinear", align_corners=False}. */
  BILINEAR,
  /** Centres of the corner pixels align: {@code mode="bilinear", align_corners=True}. */
  BILINEAR_ALIGN_CORNERS,
  /** {@code mode="bilinear", align_corners=False, antialias=True}. */
  BILINEAR_ANTIALIAS,
  /** {@code mode="bicubic", align_corners=False}. */
  BICUBIC,
  /** {@code mode="bicubic", align_corners=True}. */
  BICUBIC_ALIGN_CORNERS;

  int flags() {
    return switch (this) {
      case BILINEAR -> ggml_h.GGML_SCALE_MODE_BILINEAR();
      case BILINEAR_ALIGN_CORNERS ->
          ggml_h.GGML_SCALE_MODE_BILINEAR() | ggml_h.GGML_SCALE_FLAG_ALIGN_CORNERS();
      case BILINEAR_ANTIALIAS ->
          ggml_h.GGML_SCALE_MODE_BILINEAR() | ggml_h.GGML_SCALE_FLAG_ANTIALIAS();
      case BICUBIC -> ggml_h.GGML_SCALE_MODE_BICUBIC();
      case BICUBIC_ALIGN_CORNERS ->
          ggml_h.GGML_SCALE_MODE_BICUBIC() | ggml_h.GGML_SCALE_FLAG_ALIGN_CORNERS();
    };
  }
}
