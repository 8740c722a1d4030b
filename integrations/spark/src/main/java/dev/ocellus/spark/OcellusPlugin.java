package dev.ocellus.spark;

import java.util.Map;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.jspecify.annotations.Nullable;

/**
 * Optional: {@code spark.plugins=dev.ocellus.spark.OcellusPlugin} adds a source to Spark's metrics
 * system, with images, tokens, failures and cache hits of each executor, and closes the models when
 * an executor is shut down.
 */
public final class OcellusPlugin implements SparkPlugin {
  /** Called by Spark. */
  public OcellusPlugin() {}

  @Override
  public @Nullable DriverPlugin driverPlugin() {
    return null;
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new ExecutorPlugin() {
      @Override
      public void init(PluginContext context, Map<String, String> extraConf) {
        ExecutorMetrics.register(context.metricRegistry());
      }

      @Override
      public void shutdown() {
        LoadedModels.closeAll();
      }
    };
  }
}
