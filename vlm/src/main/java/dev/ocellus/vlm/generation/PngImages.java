package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.vlm.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/**
 * Images as PNG files with words about how they were made, in chunks of international text ({@code
 * iTXt}), so that an image can be made again.
 */
public final class PngImages {
  private static final String FORMAT = "javax_imageio_png_1.0";

  private PngImages() {}

  /**
   * Writes a file, which is whole or not there.
   *
   * @param words by keyword; keywords are 1 to 79 letters of Latin-1
   */
  public static void write(Path file, RgbImage image, Map<String, String> words)
      throws IOException {
    AtomicFile.write(file, bytes(image, words));
  }

  /** The bytes of such a file. */
  public static byte[] bytes(RgbImage image, Map<String, String> words) {
    Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName("png");
    if (!writers.hasNext()) {
      throw new OcellusException("This Java cannot write PNG files");
    }
    ImageWriter writer = writers.next();
    var out = new ByteArrayOutputStream();
    try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
      BufferedImage pixels = image.toBufferedImage();
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(
              ImageTypeSpecifier.createFromRenderedImage(pixels), writer.getDefaultWriteParam());
      metadata.mergeTree(FORMAT, tree(words));
      writer.setOutput(stream);
      writer.write(new IIOImage(pixels, null, metadata));
    } catch (IIOInvalidTreeException e) {
      throw new IllegalArgumentException("words: not what a PNG file can hold: " + words, e);
    } catch (IOException e) {
      throw new UncheckedIOException("a byte array could not be written", e);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  private static IIOMetadataNode tree(Map<String, String> words) {
    IIOMetadataNode texts = new IIOMetadataNode("iTXt");
    words.forEach((keyword, text) -> {
      IIOMetadataNode entry = new IIOMetadataNode("iTXtEntry");
      entry.setAttribute("keyword", keyword);
      entry.setAttribute("compressionFlag", "FALSE");
      entry.setAttribute("compressionMethod", "0");
      entry.setAttribute("languageTag", "");
      entry.setAttribute("translatedKeyword", "");
      entry.setAttribute("text", text.replace('\0', ' '));
      texts.appendChild(entry);
    });
    IIOMetadataNode root = new IIOMetadataNode(FORMAT);
    if (!words.isEmpty()) {
      root.appendChild(texts);
    }
    return root;
  }
}
