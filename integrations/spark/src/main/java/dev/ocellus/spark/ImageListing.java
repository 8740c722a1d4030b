package dev.ocellus.spark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The files of folders as a data set, empty ones included, which the data source {@code binaryFile}
 * leaves out. Listed by the driver: for more files than some millions write the list down once, as
 * a table, and read that.
 */
public final class ImageListing {
  private static final StructType TYPE =
      new StructType().add("path", DataTypes.StringType).add("length", DataTypes.LongType);

  private ImageListing() {}

  /**
   * All files in folders and the folders in them.
   *
   * @param folders paths or URIs, also of single files
   * @return with the columns {@code path} and {@code length}, in no order
   * @throws IOException if one is not there or cannot be read
   */
  public static Dataset<Row> of(SparkSession spark, String... folders) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String folder : folders) {
      Path path = new Path(folder);
      FileSystem files = path.getFileSystem(spark.sparkContext().hadoopConfiguration());
      RemoteIterator<LocatedFileStatus> all = files.listFiles(path, true);
      while (all.hasNext()) {
        LocatedFileStatus file = all.next();
        rows.add(RowFactory.create(file.getPath().toString(), file.getLen()));
      }
    }
    return spark.createDataFrame(rows, TYPE);
  }
}
