package dev.ocellus.vlm.image.codec;

/**
 * New ids for the components of JPEG files that give several the same one. Scans name components by
 * id; libjpeg-turbo (<a
 * href="https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.1.0/src/jdmarker.c">jdmarker.c</a>,
 * get_sos) then takes them in their order, and Java's decoder the first one each time.
 */
final class JpegComponentIds {
  private JpegComponentIds() {}

  /**
   * Changes ids in place.
   *
   * @param componentsAt where the components of the frame stand: three bytes for each
   * @param scans where the segments of scans begin, at the byte of their marker
   */
  static void makeUnique(byte[] jpeg, int componentsAt, int[] scans) {
    int count = jpeg[componentsAt - 1];
    byte[] ids = new byte[count];
    for (int i = 0; i < count; i++) {
      ids[i] = jpeg[componentsAt + 3 * i];
      jpeg[componentsAt + 3 * i] = (byte) (i + 1);
    }
    for (int scan : scans) {
      rename(jpeg, scan + 3, ids);
    }
  }

  /** Behind marker and length stands the number of components, and two bytes for each. */
  private static void rename(byte[] jpeg, int countAt, byte[] ids) {
    int count = countAt < jpeg.length ? jpeg[countAt] : 0;
    boolean[] taken = new boolean[ids.length];
    for (int i = 0; i < count && countAt + 1 + 2 * i < jpeg.length; i++) {
      int at = countAt + 1 + 2 * i;
      int component = find(ids, jpeg[at], taken);
      if (component >= 0) {
        // The place in the scan is taken, not the component: so libjpeg-turbo does it.
        if (i < taken.length) {
          taken[i] = true;
        }
        jpeg[at] = (byte) (component + 1);
      }
    }
  }

  private static int find(byte[] ids, byte id, boolean[] taken) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == id && !taken[i]) {
        return i;
      }
    }
    return -1;
  }
}
