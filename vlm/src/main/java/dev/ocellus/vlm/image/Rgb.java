package dev.ocellus.vlm.image;

/** An 8-bit colour: each channel is 0 to 255. */
public record Rgb(int red, int green, int blue) {
  public static final Rgb BLACK = new Rgb(0, 0, 0);
  public static final Rgb WHITE = new Rgb(255, 255, 255);

  public Rgb {
    if (((red | green | blue) & ~0xFF) != 0) {
      throw new IllegalArgumentException(
          "a colour channel is 0 to 255, but (" + red + ", " + green + ", " + blue + ") was given");
    }
  }

  /**
   * The background that LLaVA-style padding uses: {@code int(mean * 255)} per channel, so that the
   * padding is about zero after {@link Normalize}. <a
   * href="https://github.com/haotian-liu/LLaVA/blob/c121f0432da27facab705978f83c4ada465e46fd/llava/mm_utils.py#L168">LLaVA,
   * process_images</a>.
   *
   * @param mean the processor's {@code image_mean}: three values of 0 to 1
   */
  public static Rgb ofMean(double... mean) {
    if (mean.length != 3) {
      throw new IllegalArgumentException("three channel means are needed, not " + mean.length);
    }
    return new Rgb((int) (mean[0] * 255), (int) (mean[1] * 255), (int) (mean[2] * 255));
  }
}
