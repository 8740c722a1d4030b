package dev.ocellus.vlm.image.document;

/** Reads a format of documents; found by {@link java.util.ServiceLoader}. */
public interface DocumentReader {
  /**
   * Whether a file is of this format.
   *
   * @param head its first bytes, up to 1024
   */
  boolean reads(byte[] head);

  /**
   * Opens a document.
   *
   * @param file its bytes
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is damaged, encrypted or too large;
   *     without its name, which the caller adds
   */
  Document open(byte[] file, DocumentOptions options);
}
