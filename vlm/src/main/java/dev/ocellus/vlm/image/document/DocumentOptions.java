package dev.ocellus.vlm.image.document;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.vlm.image.ImageLimits;

/**
 * How pages become images.
 *
 * @param dpi dots per inch at which pages without pixels of their own are drawn, 18 to 1200
 * @param limits of a file and of each page
 * @param password of an encrypted document; empty for none
 */
public record DocumentOptions(int dpi, ImageLimits limits, String password) {
  private static final int MIN_DPI = 18;
  private static final int MAX_DPI = 1200;

  public DocumentOptions {
    if (dpi < MIN_DPI || dpi > MAX_DPI) {
      throw new InvalidSettingException(
          "dots per inch: expected %d to %d, found %d".formatted(MIN_DPI, MAX_DPI, dpi),
          Setting.DPI);
    }
  }

  /** 200 dots per inch, which makes an A4 page 1654 x 2339 pixels; {@link ImageLimits#DEFAULT}. */
  public static DocumentOptions defaults() {
    return new DocumentOptions(200, ImageLimits.DEFAULT, "");
  }

  public DocumentOptions withDpi(int value) {
    return new DocumentOptions(value, limits, password);
  }

  public DocumentOptions withLimits(ImageLimits value) {
    return new DocumentOptions(dpi, value, password);
  }

  public DocumentOptions withPassword(String value) {
    return new DocumentOptions(dpi, limits, value);
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "DocumentOptions[dpi=%d, limits=%s]".formatted(dpi, limits);
  }
}
