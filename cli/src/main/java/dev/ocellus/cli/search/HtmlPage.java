package dev.ocellus.cli.search;

import dev.ocellus.OcellusException;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.search.SearchHit;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/** A page of images that were found: the images are in it, so that it can be sent or moved. */
final class HtmlPage {
  private static final int MAX_SIDE = 320;

  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width">
      <title>%1$s</title>
      <style>
      body { font: 15px sans-serif; margin: 2em; background: #fafafa; color: #222 }
      main { display: flex; flex-wrap: wrap; gap: 1em }
      figure { margin: 0; padding: .6em; width: 320px; background: #fff; border: 1px solid #ddd }
      img { display: block; margin: 0 auto; max-width: 100%% }
      figcaption { margin-top: .4em; overflow-wrap: anywhere }
      b { float: right; font-weight: normal; color: #777 }
      </style>
      </head>
      <body>
      <h1>%1$s</h1>
      <p>%2$d images of %3$s</p>
      <main>
      """;

  private HtmlPage() {}

  /** Writes the page; the file is there when it is whole. */
  static void write(Path file, String query, Path folder, List<SearchHit> hits) throws IOException {
    AtomicFile.write(
        file,
        channel -> {
          Writer out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
          out.write(HEAD.formatted(escaped(query), hits.size(), escaped(folder.toString())));
          for (SearchHit hit : hits) {
            figure(out, folder, hit);
          }
          out.write("</main>\n</body>\n</html>\n");
          out.flush();
        });
  }

  private static void figure(Writer out, Path folder, SearchHit hit) throws IOException {
    String name = folder.relativize(hit.path()).toString();
    out.write(
        """
        <figure>
        <a href="%s"><img src="%s" alt="%s"></a>
        <figcaption><b>%s</b>%s<br>%d &times; %d</figcaption>
        </figure>
        """
            .formatted(
                escaped(hit.path().toAbsolutePath().normalize().toUri().toASCIIString()),
                thumbnail(hit.path()),
                escaped(name),
                String.format(Locale.ROOT, "%.3f", hit.score()),
                escaped(Printable.of(name)),
                hit.width(),
                hit.height()));
  }

  /** A data: URL; empty for an image that cannot be read any more. */
  private static String thumbnail(Path file) throws IOException {
    RgbImage image;
    try {
      image = ImageDecoder.decode(file);
    } catch (IOException | OcellusException e) {
      return "";
    }
    double scale = Math.min(1, (double) MAX_SIDE / Math.max(image.width(), image.height()));
    int width = Math.max(1, (int) Math.round(image.width() * scale));
    int height = Math.max(1, (int) Math.round(image.height() * scale));
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(
        Resize.resize(image, width, height, ResizeFilter.BOX).toBufferedImage(), "jpg", bytes);
    return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
  }

  private static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '&' -> out.append("&amp;");
            case '<' -> out.append("&lt;");
            case '>' -> out.append("&gt;");
            case '"' -> out.append("&quot;");
            case '\'' -> out.append("&#39;");
            default -> out.appendCodePoint(c);
          }
        });
    return out.toString();
  }
}
