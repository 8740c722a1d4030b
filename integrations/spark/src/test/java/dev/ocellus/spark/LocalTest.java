package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Everything that needs no cluster, with the embedded models. */
class LocalTest {
  private static final int COUNT = 40;
  private static final String PROMPT = "Describe the image.";

  @TempDir static Path folder;
  private static List<Path> files;
  private static SparkSession spark;

  @BeforeAll
  static void start() throws Exception {
    files = Pictures.write(Files.createDirectory(folder.resolve("images")), COUNT);
    spark = Sessions.local(folder).getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
    assertThat(LoadedModels.count()).isZero();
  }

  private static Dataset<Row> images() throws IOException {
    return ImageListing.of(spark, folder.resolve("images").toString()).repartition(4);
  }

  private static OcellusSpark demo() {
    return OcellusSpark.of(ModelSource.demo());
  }

  private static String name(String path) {
    return path.replaceFirst(".*/", "");
  }

  @Test
  void describesEveryImageAsOneProcessDoes() throws Exception {
    JobProgress progress = JobProgress.of(spark, "captions");
    List<Row> rows =
        demo()
            .withProgress(progress)
            .describe(images(), AnswerOptions.of(PROMPT))
            .select("path", "answer.*")
            .collectAsList();
    Map<String, String> found = new TreeMap<>();
    for (Row row : rows) {
      String name = name(row.getAs("path"));
      int index = Integer.parseInt(name.substring(0, 5));
      assertThat(row.<String>getAs("error_code")).as(name).isEqualTo(Pictures.error(index));
      boolean fails = Pictures.error(index) != null;
      found.put(name, fails ? "!" : row.getAs("text"));
      if (fails) {
        assertThat(row.<String>getAs("error_message")).contains(name);
        assertThat(row.<String>getAs("text")).isNull();
        assertThat(row.<Integer>getAs("completion_tokens")).isNull();
      } else {
        assertThat(row.<Integer>getAs("width")).isBetween(96, 160);
        assertThat(row.<Integer>getAs("image_tokens")).isEqualTo(64);
        assertThat(row.<Integer>getAs("completion_tokens")).isPositive();
        assertThat(row.<String>getAs("stop_reason")).isEqualTo("end");
        assertThat(row.getList(row.fieldIndex("tiles"))).hasSize(1);
      }
      assertThat(row.<Double>getAs("millis")).isPositive();
      assertThat(row.<String>getAs("model_hash")).isEqualTo(ModelSource.demo().pinned().hash());
    }
    assertThat(found).isEqualTo(OneProcess.answers(files, PROMPT));
    assertThat(progress.images()).isEqualTo(COUNT);
    assertThat(progress.failures()).isEqualTo(COUNT / 5);
    assertThat(progress.decodeFailures()).isEqualTo(COUNT / 5);
    assertThat(progress.completionTokens()).isPositive();
  }

  @Test
  void tellsSparksMetricsWhatWasDone() throws Exception {
    demo()
        .describe(images(), AnswerOptions.of(PROMPT))
        .write()
        .format("noop")
        .mode("append")
        .save();
    MetricRegistry registry =
        SparkEnv.get()
            .metricsSystem()
            .getSourcesByName("plugin." + OcellusPlugin.class.getName())
            .head()
            .metricRegistry();
    assertThat(registry.getMeters())
        .hasEntrySatisfying("images", m -> assertThat(m.getCount()).isGreaterThanOrEqualTo(COUNT))
        .hasEntrySatisfying("completionTokens", m -> assertThat(m.getCount()).isPositive());
    assertThat(registry.getCounters())
        .hasEntrySatisfying(
            "decodeFailures", c -> assertThat(c.getCount()).isGreaterThanOrEqualTo(COUNT / 5))
        .containsKey("cacheHits");
    assertThat(registry.getGauges())
        .hasEntrySatisfying("models", g -> assertThat(g.getValue()).isNotEqualTo(0));
  }

  @Test
  void embedsEveryImageAsOneProcessDoes() throws Exception {
    List<Row> rows =
        OcellusSpark.of(ModelSource.demoDualEncoder())
            .embed(images())
            .select("path", "embedding.vector", "embedding.error_code")
            .collectAsList();
    assertThat(rows.size()).isEqualTo(COUNT);
    try (DualEncoder encoder = DualEncoder.open(DemoModel.dualEncoder(), EmbeddingOptions.cpu(1))) {
      for (Row row : rows) {
        String name = name(row.getString(0));
        if (row.isNullAt(1)) {
          assertThat(row.getString(2)).isEqualTo(Pictures.error(index(name))).isNotNull();
        } else {
          float[] expected =
              encoder.embedImage(ImageDecoder.decode(folder.resolve("images/" + name)));
          assertThat(row.<Float>getList(1)).containsExactly(EmbedWorker.boxed(expected));
        }
      }
    }
  }

  private static int index(String name) {
    return Integer.parseInt(name.substring(0, 5));
  }

  @Test
  void classifiesAsOneProcessDoes() throws Exception {
    List<String> labels = List.of("a red circle", "a blue circle", "a black square");
    Row row =
        OcellusSpark.of(ModelSource.demoDualEncoder())
            .classify(images().where("path like '%00000.png'"), labels)
            .select("classification.*")
            .first();
    try (DualEncoder encoder = DualEncoder.open(DemoModel.dualEncoder(), EmbeddingOptions.cpu(1))) {
      var expected = encoder.classify(ImageDecoder.decode(files.get(0)), labels, List.of());
      assertThat(row.<String>getAs("label")).isEqualTo("a red circle").isEqualTo(expected.best());
      Map<String, Float> found = row.getJavaMap(row.fieldIndex("probabilities"));
      for (int i = 0; i < labels.size(); i++) {
        assertThat(found.get(labels.get(i))).isEqualTo(expected.probabilities()[i]);
      }
    }
  }

  @Test
  void asksEachImageItsOwnQuestionAndMakesStructsOfJson() throws Exception {
    String schema =
        """
        {"type": "object", "properties": {
          "color": {"enum": ["red", "blue", "green", "yellow", "black"]},
          "count": {"type": "integer", "minimum": 0, "maximum": 9}},
         "required": ["color", "count"], "additionalProperties": false}
        """;
    Dataset<Row> asked =
        images()
            .where("path like '%0000_.png'")
            .withColumn("question", functions.lit("What color is the shape?"));
    Dataset<Row> answers =
        demo().chat(asked, "question", AnswerOptions.defaults().withJsonSchema(schema));
    assertThat(answers.select("answer.json.count").schema().fields()[0].dataType().simpleString())
        .isEqualTo("bigint");
    List<Row> rows =
        answers
            .where("answer.error_code is null")
            .select("path", "answer.json.color", "answer.json.count")
            .collectAsList();
    assertThat(rows).hasSize(8);
    for (Row row : rows) {
      assertThat(row.getString(1)).isIn("red", "blue", "green", "yellow", "black");
      assertThat(row.getLong(2)).isBetween(0L, 9L);
    }
  }

  @Test
  void takesBytesAndNullsAndPathsThatAreNone() {
    Dataset<Row> bytes =
        spark
            .read()
            .format("binaryFile")
            .load(files.get(0).toString())
            .select("content")
            .union(spark.sql("select cast(null as binary)"));
    List<Row> rows =
        demo()
            .withImages(ImageColumn.bytes("content"))
            .describe(bytes, AnswerOptions.of(PROMPT))
            .select("answer.text", "answer.error_code")
            .collectAsList();
    assertThat(rows.stream().map(Row::mkString).sorted().toList())
        .hasSize(2)
        .contains("nullno_input")
        .anySatisfy(text -> assertThat(text).contains("red").endsWith("null"));

    List<Row> paths =
        demo()
            .describe(
                spark.sql(
                    "select * from values ('nowhere:/a.png'), (''), ('%s'), ('%s/none.png') as t(path)"
                        .formatted(folder, folder)),
                AnswerOptions.of(PROMPT))
            .select("answer.error_code")
            .collectAsList();
    assertThat(paths.stream().map(row -> row.getString(0)))
        .containsExactly("bad_uri", "bad_uri", "not_found", "not_found");
  }

  @Test
  void comparesLengthsBeforeReading() throws Exception {
    Row row =
        demo()
            .withImages(ImageColumn.uri("path").withMaxBytes(100))
            .describe(images().where("path like '%00000.png'"), AnswerOptions.of(PROMPT))
            .select("answer.*")
            .first();
    assertThat(row.<String>getAs("error_code")).isEqualTo("too_large");
    assertThat(row.<String>getAs("error_message")).contains("100 bytes");
  }

  @Test
  void drawsTheSameTokensInWhateverPartition() throws Exception {
    AnswerOptions warm = AnswerOptions.of(PROMPT).withTemperature(1.5f).withSeed(7);
    assertThat(texts(warm, 1)).isEqualTo(texts(warm, 3)).isNotEqualTo(texts(warm.withSeed(8), 1));
  }

  private static List<String> texts(AnswerOptions options, int partitions) throws IOException {
    return demo()
        .describe(images().where("path like '%0000_.png'").repartition(partitions), options)
        .orderBy("path")
        .select("answer.text")
        .collectAsList()
        .stream()
        .map(row -> String.valueOf(row.get(0)))
        .toList();
  }

  @Test
  void readsPages() throws Exception {
    Row row =
        demo()
            .ocr(
                images().where("path like '%00000.png'"), PageOptions.defaults().withPrompt(PROMPT))
            .select("page_text.*")
            .first();
    assertThat(row.<String>getAs("text")).contains("red");
    assertThat(row.<Integer>getAs("page_count")).isEqualTo(1);
    assertThat(row.getList(row.fieldIndex("pages"))).hasSize(1);
  }

  @Test
  void goesOnWhereAnEarlierRunEnded() throws Exception {
    String done = folder.resolve("done").toUri().toString();
    OcellusSpark ocellus = OcellusSpark.of(ModelSource.demo().pinned());
    AnswerOptions options = AnswerOptions.of(PROMPT);
    ocellus
        .withDoneIn(spark, done, "path")
        .describe(images().where("path like '%0000_.png'"), options)
        .write()
        .parquet(done);
    assertThat(spark.read().parquet(done).count()).isEqualTo(10);
    OcellusSpark rest = ocellus.withDoneIn(spark, done, "path");
    assertThat(rest.describe(images(), options).count()).isEqualTo(COUNT - 10);
    assertThat(rest.describe(images(), options.withMaxTokens(3)).count()).isEqualTo(COUNT);
    assertThatThrownBy(() -> demo().withDoneIn(spark, done, "path").describe(images(), options))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("pinned");
  }

  @Test
  void refusesAnotherModelThanWasAskedFor() throws Exception {
    String path = DemoModel.dualEncoder().toString();
    String hash = ModelSource.shared(path).pinned().hash();
    String other = "0".repeat(64);
    Dataset<Row> rows = images().limit(1);
    assertThat(OcellusSpark.of(ModelSource.shared(path).withSha256(hash)).embed(rows).count())
        .isEqualTo(1);
    assertThatThrownBy(() ->
            OcellusSpark.of(ModelSource.shared(path).withSha256(other)).embed(rows).collectAsList())
        .hasStackTraceContaining("has the SHA-256 " + hash + ", expected " + other);
    assertThatThrownBy(() ->
            OcellusSpark.of(ModelSource.shared("/nowhere/model.gguf")).embed(rows).collectAsList())
        .hasStackTraceContaining("/nowhere/model.gguf is not a file on this machine");
  }
}
