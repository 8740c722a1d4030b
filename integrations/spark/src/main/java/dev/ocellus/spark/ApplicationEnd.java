package dev.ocellus.spark;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;

/** Closes the models of local mode, whose executor is a part of the driver and may outlive it. */
final class ApplicationEnd extends SparkListener {
  private static final Set<SparkContext> WATCHED =
      Collections.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<>()));

  private ApplicationEnd() {}

  static void watch(SparkContext context) {
    if (context.isLocal() && WATCHED.add(context)) {
      context.addSparkListener(new ApplicationEnd());
    }
  }

  @Override
  public void onApplicationEnd(SparkListenerApplicationEnd end) {
    LoadedModels.closeAll();
  }
}
