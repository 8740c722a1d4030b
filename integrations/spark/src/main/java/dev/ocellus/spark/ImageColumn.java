package dev.ocellus.spark;

import java.io.Serializable;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Where the images of a data set are. Paths are better than bytes: a file is opened by the task
 * that needs it, when it needs it, so that no more images are in memory than are worked on.
 */
public final class ImageColumn implements Serializable {
  private static final long serialVersionUID = 1;
  private static final long MAX_BYTES = 64L << 20;
  private static final long MAX_PIXELS = 64_000_000;

  private final String name;
  private final boolean isUri;
  private final long maxBytes;
  private final long maxPixels;

  private ImageColumn(String name, boolean isUri, long maxBytes, long maxPixels) {
    this.name = name;
    this.isUri = isUri;
    this.maxBytes = maxBytes;
    this.maxPixels = maxPixels;
    if (maxBytes < 1 || maxPixels < 1) {
      throw new IllegalArgumentException(
          "limits of images: expected positive numbers, found %d bytes and %d pixels"
              .formatted(maxBytes, maxPixels));
    }
  }

  /**
   * A column of paths or URIs, as Hadoop's file systems take them and the data source {@code
   * binaryFile} gives them. Files of more than 64 MiB or 64 megapixels are not read.
   */
  public static ImageColumn uri(String name) {
    return new ImageColumn(name, true, MAX_BYTES, MAX_PIXELS);
  }

  /** A column of the bytes of image files, with the same limits. */
  public static ImageColumn bytes(String name) {
    return new ImageColumn(name, false, MAX_BYTES, MAX_PIXELS);
  }

  /** With another limit for the length of a file, which is compared before it is read. */
  public ImageColumn withMaxBytes(long bytes) {
    return new ImageColumn(name, isUri, bytes, maxPixels);
  }

  /** With another limit for width times height, which is compared before pixels are decoded. */
  public ImageColumn withMaxPixels(long pixels) {
    return new ImageColumn(name, isUri, maxBytes, pixels);
  }

  /** The column's name. */
  public String name() {
    return name;
  }

  boolean isUri() {
    return isUri;
  }

  long maxBytes() {
    return maxBytes;
  }

  long maxPixels() {
    return maxPixels;
  }

  /** Where it is in a data set. */
  int indexIn(StructType schema) {
    DataType expected = isUri ? DataTypes.StringType : DataTypes.BinaryType;
    return Columns.index(schema, name, expected);
  }

  /** What of it changes results. */
  String fingerprint() {
    return "limits %d %d".formatted(maxBytes, maxPixels);
  }
}
