package dev.ocellus.spark;

import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/** Sessions that need no network and leave nothing behind. */
final class Sessions {
  private Sessions() {}

  static SparkSession.Builder local(Path folder) {
    return SparkSession.builder()
        .master("local[2]")
        .appName("ocellus-test")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.plugins", OcellusPlugin.class.getName())
        .config("spark.local.dir", folder.resolve("spark").toString())
        .config("spark.sql.warehouse.dir", folder.resolve("warehouse").toString());
  }
}
