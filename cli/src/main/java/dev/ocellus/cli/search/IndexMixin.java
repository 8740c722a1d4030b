package dev.ocellus.cli.search;

import dev.ocellus.cli.command.NamedModels;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.hub.ModelFiles;
import dev.ocellus.hub.ModelName;
import dev.ocellus.search.ImageIndex;
import dev.ocellus.search.IndexException;
import dev.ocellus.search.IndexInfo;
import dev.ocellus.search.IndexLocation;
import dev.ocellus.search.IndexUpdate;
import dev.ocellus.search.UpdateOptions;
import dev.ocellus.search.UpdateReport;
import dev.ocellus.vlm.embedding.Embedder;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which folder, where its index is, and how it is brought up to date. */
final class IndexMixin {
  private static final int MAX_TOLD = 10;

  /** Kept here, as a logger that nobody holds forgets its level. */
  private static final Logger LUCENE = Logger.getLogger("org.apache.lucene");

  @Parameters(index = "0", paramLabel = "DIR", description = "Folder of images, with all below.")
  Path folder = Path.of("");

  @Option(
      names = "--index",
      paramLabel = "PATH",
      description = "Folder of the index. Default: DIR/.ocellus/index.")
  @Nullable Path index;

  @Option(
      names = "--rebuild",
      description = "Make the index anew: with another model, or where it is damaged.")
  boolean rebuild;

  @Mixin EmbedderMixin embedder = new EmbedderMixin();

  /** Checks the folder, before a model is loaded for nothing. */
  IndexLocation location() throws IOException {
    LUCENE.setLevel(Level.OFF); // it tells users how to make it faster, on standard error
    if (!Files.isDirectory(folder)) {
      if (Files.exists(folder)) {
        throw new FileSystemException(folder.toString(), null, "is not a folder");
      }
      throw new NoSuchFileException(folder.toString());
    }
    return index == null ? IndexLocation.inside(folder) : new IndexLocation(folder, index);
  }

  /**
   * The model of an index, where none is named: that which made it, fetched again if it was named
   * and is not there any more.
   *
   * @throws IOException if it was a file or folder that is not there any more
   */
  Embedder open(OcellusCommand command, DualMixin model, @Nullable IndexInfo info)
      throws IOException {
    if (model.model == null && info != null) {
      IndexSource source = IndexSource.parse(info.source());
      if (!source.isDemo()) {
        take(command, model, source);
      }
    }
    return embedder.open(command, model, info);
  }

  private void take(OcellusCommand command, DualMixin model, IndexSource source)
      throws IOException {
    if (model.modelType == null) {
      model.modelType = source.modelType();
    }
    if (ModelName.isName(source.model())) {
      boolean wanted = embedder.mmproj == null && source.mmproj() == null;
      model.named.takeMmprojType(source.mmprojType());
      ModelFiles files =
          NamedModels.again(command, model.named, source.model(), model.named.pullOptions(wanted));
      model.model = files.model();
      if (wanted) {
        embedder.mmproj = files.mmproj().orElse(null);
      }
    } else {
      model.model = there(source.model(), "-m");
    }
    if (source.mmproj() != null && embedder.mmproj == null) {
      embedder.mmproj = there(source.mmproj(), "--mmproj");
    }
  }

  private static Path there(String file, String option) throws IOException {
    Path path = Path.of(file);
    if (Files.notExists(path)) {
      throw new NoSuchFileException(
          file,
          null,
          "the model that made the index is not there any more; say where it is with " + option);
    }
    return path;
  }

  /** What was given for the model, not what was fetched or converted, which can vanish. */
  private IndexSource source(OcellusCommand command, DualMixin model) {
    Path path = model.model;
    if (path == null) {
      return new IndexSource(IndexSource.DEMO, null, null, null);
    }
    Optional<String> name = command.fetchedAs(path);
    Path mmproj = embedder.mmproj;
    boolean own = // came with the model
        name.isPresent() && mmproj != null && command.fetchedAs(mmproj).equals(name);
    return new IndexSource(
        name.orElseGet(() -> absolute(path)),
        mmproj == null || own ? null : absolute(mmproj),
        own ? model.named.mmprojType() : null,
        model.modelType);
  }

  private static String absolute(Path path) {
    return path.toAbsolutePath().normalize().toString();
  }

  /**
   * Brings the index up to date, tells what could not be read, and says how it went.
   *
   * @param anew whether whatever is there is replaced
   */
  Updated update(
      OcellusCommand command,
      IndexLocation location,
      DualMixin model,
      Embedder encoder,
      boolean anew)
      throws IOException {
    UpdateOptions options = UpdateOptions.defaults();
    long begun = System.nanoTime();
    long[] encoding = {begun};
    UpdateReport report;
    try (var interrupt = new Interrupt();
        var progress = command.progress()) {
      report =
          IndexUpdate.run(
              location,
              encoder,
              source(command, model).toString(),
              anew ? options.withRebuild() : options,
              (done, total) -> {
                if (total < 0) {
                  progress.start("looking through " + folder);
                } else {
                  encoding[0] = done == 0 ? System.nanoTime() : encoding[0];
                  progress.report(
                      "indexing image %d of %d%s"
                          .formatted(done, total, Progress.rate(done, encoding[0], "images")),
                      total == 0 ? 1 : (double) done / total);
                }
                return !interrupt.happened();
              });
    } catch (CancellationException e) {
      command.note(e.getMessage() + "; they are kept, and the next run goes on from there");
      throw e;
    }
    Updated updated =
        new Updated(
            report, (System.nanoTime() - begun) / 1e9, (System.nanoTime() - encoding[0]) / 1e9);
    tellUnreadable(command, report);
    return updated;
  }

  /**
   * @param report what was done
   * @param seconds that it took
   * @param encodingSeconds of them without looking through the folder
   */
  record Updated(UpdateReport report, double seconds, double encodingSeconds) {
    double imagesPerSecond() {
      return report.nEncoded() / Math.max(encodingSeconds, 1e-3);
    }
  }

  private static void tellUnreadable(OcellusCommand command, UpdateReport report) {
    report.unreadable().stream()
        .limit(MAX_TOLD)
        .forEach(u ->
            command.note(
                "left out %s: %s".formatted(Printable.of(u.path()), Printable.of(u.message()))));
    int more = report.unreadable().size() - MAX_TOLD;
    if (more > 0) {
      command.note("left out %d more; 'ocellus index --json' lists all".formatted(more));
    }
  }

  /** Opens the index; makes it first where there is none, or it is to be made anew. */
  Opened openOrMake(OcellusCommand command, DualMixin model, boolean update) throws IOException {
    IndexLocation location = location();
    boolean there = ImageIndex.exists(location);
    if (there && !rebuild && !update) {
      ImageIndex found = ImageIndex.open(location);
      try {
        Embedder encoder = open(command, model, found.info());
        try {
          found.requireModel(encoder);
          return new Opened(found, encoder);
        } catch (Throwable e) {
          encoder.close();
          throw e;
        }
      } catch (Throwable e) {
        found.close();
        throw e;
      }
    }
    Embedder encoder = open(command, model, known(location));
    try {
      if (!there) {
        command.note("no index of %s yet: making it in %s".formatted(folder, location.index()));
      }
      update(command, location, model, encoder, rebuild);
      return new Opened(ImageIndex.open(location), encoder);
    } catch (Throwable e) {
      encoder.close();
      throw e;
    }
  }

  /** What the index holds; null if there is none, or it cannot be read and is to be made anew. */
  @Nullable IndexInfo known(IndexLocation location) throws IOException {
    if (!ImageIndex.exists(location)) {
      return null;
    }
    try (ImageIndex found = ImageIndex.open(location)) {
      return found.info();
    } catch (IndexException e) {
      if (rebuild) {
        return null;
      }
      throw e;
    }
  }

  /** An index and its model. */
  record Opened(ImageIndex index, Embedder encoder) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      try (index) {
        encoder.close();
      }
    }
  }
}
