package dev.ocellus.spark;

import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import java.lang.System.Logger.Level;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * Asks a model about the images of a data set. Each method gives the data set with one more column,
 * a struct with the result, what it cost, and, for an image that has none, why.
 *
 * <pre>{@code
 * Dataset<Row> images = spark.read().format("binaryFile").load("/photos").drop("content");
 * Dataset<Row> captions =
 *     OcellusSpark.of(ModelSource.shared("/models/vlm.gguf", "/models/mmproj.gguf"))
 *         .describe(images, AnswerOptions.of("Describe the image."));
 * captions.select("path", "answer.text", "answer.error_code").write().parquet("/captions");
 * }</pre>
 *
 * <p>A row that fails, as its file is no image or is not there, has an {@code error_code} and an
 * {@code error_message} and null instead of a result; the job goes on. What concerns all rows, such
 * as a model that is missing or another one than was asked for, fails the job.
 *
 * <p>Immutable. Driver and executors need Java 22 or newer; an executor that runs on an older one
 * fails with an {@link UnsupportedJavaException}.
 */
public final class OcellusSpark {
  private static final System.Logger LOGGER = System.getLogger(OcellusSpark.class.getName());

  private final ModelSource source;
  private final ImageColumn images;
  private final @Nullable String result;
  private final ExecutorOptions options;
  private final @Nullable JobProgress progress;
  private final @Nullable Done done;

  private OcellusSpark(
      ModelSource source,
      ImageColumn images,
      @Nullable String result,
      ExecutorOptions options,
      @Nullable JobProgress progress,
      @Nullable Done done) {
    this.source = source;
    this.images = images;
    this.result = result;
    this.options = options;
    this.progress = progress;
    this.done = done;
  }

  /**
   * Begins with a model, for images whose paths are in the column {@code path}.
   *
   * @throws IllegalStateException if this driver's Java is too old
   */
  public static OcellusSpark of(ModelSource source) {
    try {
      JavaRequirement.check("The driver");
    } catch (UnsupportedJavaException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
    return new OcellusSpark(
        source, ImageColumn.uri("path"), null, ExecutorOptions.defaults(), null, null);
  }

  /** With another column of images, or other limits. */
  public OcellusSpark withImages(ImageColumn value) {
    return new OcellusSpark(source, value, result, options, progress, done);
  }

  /**
   * With another name for the column of results. Default: {@code answer}, {@code embedding}, {@code
   * classification} or {@code page_text}.
   */
  public OcellusSpark withResult(String column) {
    return new OcellusSpark(source, images, column, options, progress, done);
  }

  /** With other threads, or more images at the same time, on each executor. */
  public OcellusSpark withExecutors(ExecutorOptions value) {
    return new OcellusSpark(source, images, result, value, progress, done);
  }

  /** With counters that the driver can read while the job runs. */
  public OcellusSpark withProgress(JobProgress value) {
    return new OcellusSpark(source, images, result, options, value, done);
  }

  /**
   * Without the rows that earlier runs have settled: their key is among these results, with the
   * hash of the same model and request, and no error that another run might not have. The model's
   * hash has to be known ({@link ModelSource#pinned}).
   *
   * @param results with {@code model_hash}, {@code request_hash} and {@code error_code} as columns,
   *     or in the column of results
   * @param key a column of both data sets that tells rows apart, prompts included
   */
  public OcellusSpark withDone(Dataset<Row> results, String key) {
    return new OcellusSpark(source, images, result, options, progress, new Done(results, key));
  }

  /**
   * The same with the results in a folder of Parquet files, which need not be there yet.
   *
   * @throws java.io.UncheckedIOException if it cannot be read
   */
  public OcellusSpark withDoneIn(SparkSession spark, String folder, String key) {
    return new OcellusSpark(
        source, images, result, options, progress, Done.parquet(spark, folder, key));
  }

  /**
   * Asks the same question about each image.
   *
   * @throws IllegalArgumentException if the options have no prompt, or a schema that is not
   *     supported
   */
  public Dataset<Row> describe(Dataset<Row> rows, AnswerOptions answer) {
    if (answer.prompt() == null) {
      throw new IllegalArgumentException("a prompt is needed: AnswerOptions.of(prompt)");
    }
    return run(rows, request(answer), "answer", null);
  }

  /** Asks each image's own question. */
  public Dataset<Row> chat(Dataset<Row> rows, String promptColumn, AnswerOptions answer) {
    if (answer.prompt() != null) {
      throw new IllegalArgumentException(
          "prompts: expected them in the column '%s' only, found '%s' in the options"
              .formatted(promptColumn, answer.prompt()));
    }
    return run(rows, request(answer), "answer", promptColumn);
  }

  private static AnswerRequest request(AnswerOptions options) {
    String schema = options.jsonSchema();
    if (schema == null) {
      return new AnswerRequest(options, null);
    }
    var unused = JsonSchemaGrammar.of(schema); // refuses here what executors could not use
    DataType type = JsonTypes.of(schema);
    return new AnswerRequest(options, type);
  }

  /** The vector of each image, of length 1. */
  public Dataset<Row> embed(Dataset<Row> rows) {
    return embed(rows, "");
  }

  /**
   * The vector of each image, of length 1.
   *
   * @param instruction what vectors are for, for vision-language models such as Qwen3-VL-Embedding;
   *     empty for the usual one
   */
  public Dataset<Row> embed(Dataset<Row> rows, String instruction) {
    return run(rows, new EmbedRequest(instruction), "embedding", null);
  }

  /** How well labels fit each image, with labels taken as they are. */
  public Dataset<Row> classify(Dataset<Row> rows, List<String> labels) {
    return classify(rows, labels, List.of());
  }

  /**
   * How well labels fit each image, by a dual encoder.
   *
   * @param templates texts in which {@code {}} stands for a label; of several the vectors are
   *     averaged
   */
  public Dataset<Row> classify(Dataset<Row> rows, List<String> labels, List<String> templates) {
    return run(rows, new ClassifyRequest(labels, templates), "classification", null);
  }

  /** The text of images, TIFF files and PDF documents. */
  public Dataset<Row> ocr(Dataset<Row> rows, PageOptions pages) {
    return run(rows, new PageRequest(pages), "page_text", null);
  }

  private Dataset<Row> run(
      Dataset<Row> rows, Request request, String defaultName, @Nullable String promptColumn) {
    StructType schema = rows.schema();
    String name = result == null ? defaultName : result;
    Columns.requireFree(schema, name);
    int prompt =
        promptColumn == null ? -1 : Columns.index(schema, promptColumn, DataTypes.StringType);
    SparkSession spark = rows.sparkSession();
    warn(spark);
    ApplicationEnd.watch(spark.sparkContext());
    Broadcast<SerializableConfiguration> hadoop =
        spark
            .sparkContext()
            .broadcast(
                new SerializableConfiguration(spark.sparkContext().hadoopConfiguration()),
                scala.reflect.ClassTag$.MODULE$.apply(SerializableConfiguration.class));
    RowFunction function =
        new RowFunction(
            source,
            request,
            isDrawn(request) ? options.withSeparate(true) : options,
            images,
            images.indexIn(schema),
            prompt,
            requestHash(request),
            hadoop,
            progress);
    Dataset<Row> rest =
        done == null ? rows : done.rest(rows, name, source.hash(), function.requestHash());
    return rest.mapPartitions(function, Encoders.row(schema.add(name, ResultType.of(request))));
  }

  /** Whether rounding would change which tokens a seed draws. */
  private static boolean isDrawn(Request request) {
    return request instanceof AnswerRequest answer && answer.options().temperature() > 0;
  }

  private String requestHash(Request request) {
    return FileHashes.of(
        "%s\n%s\n%d".formatted(request.fingerprint(), images.fingerprint(), options.context()));
  }

  private static void warn(SparkSession spark) {
    for (String warning : warnings(spark.sparkContext().getConf())) {
      LOGGER.log(Level.WARNING, warning);
    }
  }

  /** What of an application's settings costs more than it gives here. */
  static List<String> warnings(SparkConf conf) {
    return conf.getBoolean("spark.speculation", false)
        ? List.of(
            "spark.speculation is on: slow rows would be computed twice, at the cost of those that wait; set it to false")
        : List.of();
  }
}
