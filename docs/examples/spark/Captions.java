import dev.ocellus.spark.AnswerOptions;
import dev.ocellus.spark.ImageListing;
import dev.ocellus.spark.ModelSource;
import dev.ocellus.spark.OcellusSpark;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Captions of the images in a folder, as Parquet: {@code Captions FOLDER OUTPUT [TEXT MMPROJ]}. */
public final class Captions {
  public static void main(String[] args) throws Exception {
    try (SparkSession spark = SparkSession.builder().appName("captions").getOrCreate()) {
      ModelSource model =
          args.length > 2 ? ModelSource.shared(args[2], args[3]) : ModelSource.demo();
      Dataset<Row> images = ImageListing.of(spark, args[0]).repartition(64);
      OcellusSpark.of(model.pinned())
          .withDoneIn(spark, args[1], "path") // a second run does what the first one has not
          .describe(images, AnswerOptions.of("Describe the image.").withMaxTokens(64))
          .select("path", "answer.*")
          .write()
          .mode("append")
          .parquet(args[1]);
    }
  }
}
