package dev.ocellus.server.chat;

import dev.ocellus.vlm.chat.Answer;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/** Counts for Prometheus. Thread-safe. */
public final class Metrics {
  private static final double[] SECONDS = {
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120
  };

  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder cachedTokens = new LongAdder();
  private final LongAdder imageTokens = new LongAdder();
  private final LongAdder answerTokens = new LongAdder();
  private final LongAdder imagesEncoded = new LongAdder();
  private final LongAdder imagesReused = new LongAdder();
  private final LongAdder cancelled = new LongAdder();
  private final LongAdder embeddings = new LongAdder();
  private final DoubleAdder prefillSeconds = new DoubleAdder();
  private final DoubleAdder decodeSeconds = new DoubleAdder();
  private final Map<String, LongAdder> requests = new ConcurrentHashMap<>();
  private final AtomicInteger active = new AtomicInteger();
  private final Histogram firstToken = new Histogram();

  /** How often times fell below each bound. */
  private static final class Histogram {
    private final LongAdder[] counts = new LongAdder[SECONDS.length + 1];
    private final DoubleAdder sum = new DoubleAdder();

    Histogram() {
      for (int i = 0; i < counts.length; i++) {
        counts[i] = new LongAdder();
      }
    }

    void add(double seconds) {
      int i = 0;
      while (i < SECONDS.length && seconds > SECONDS[i]) {
        i++;
      }
      counts[i].increment();
      sum.add(seconds);
    }

    void write(StringBuilder out, String name) {
      long total = 0;
      for (int i = 0; i < counts.length; i++) {
        total += counts[i].sum();
        String bound = i < SECONDS.length ? Double.toString(SECONDS[i]) : "+Inf";
        out.append("%s_bucket{le=\"%s\"} %d\n".formatted(name, bound, total));
      }
      out.append("%s_sum %s\n%s_count %d\n".formatted(name, sum.sum(), name, total));
    }
  }

  /** A request begins. */
  public void begin() {
    active.incrementAndGet();
  }

  /**
   * A request has been answered.
   *
   * @param route which handler
   * @param status HTTP's
   */
  public void end(String route, int status) {
    active.decrementAndGet();
    requests
        .computeIfAbsent(
            "route=\"%s\",status=\"%d\"".formatted(route, status), key -> new LongAdder())
        .increment();
  }

  /** The first text of an answer is there. */
  public void firstToken(double seconds) {
    firstToken.add(seconds);
  }

  /** An answer is complete. */
  public void answered(Answer answer) {
    promptTokens.add(answer.usage().promptTokens());
    cachedTokens.add(answer.usage().cachedTokens());
    imageTokens.add(answer.usage().imageTokens());
    answerTokens.add(answer.usage().completionTokens());
    var images = answer.usage().images();
    imagesEncoded.add(images.encoded());
    imagesReused.add(images.fromContext() + images.fromMemory() + images.fromDisk());
    prefillSeconds.add(answer.timings().prefill().millis() / 1000);
    decodeSeconds.add(answer.timings().decode().millis() / 1000);
  }

  /** A client left, or an answer took too long. */
  public void cancelled() {
    cancelled.increment();
  }

  /** Vectors were computed. */
  public void embedded(int n) {
    embeddings.add(n);
  }

  /**
   * What is not counted but looked at.
   *
   * @param queued answers that wait
   * @param running answers that are being generated
   * @param loaded models that are loaded
   * @param keptPrefixes beginnings of conversations that are kept for others
   * @param keptTokens tokens of them
   */
  public record Now(int queued, int running, int loaded, int keptPrefixes, int keptTokens) {}

  /** In Prometheus's text format. Names of llama-server are there, too, for its dashboards. */
  public String text(Now now) {
    var out = new StringBuilder();
    counter(out, "ocellus_prompt_tokens_total", "Tokens of prompts.", promptTokens.sum());
    counter(
        out, "ocellus_cached_tokens_total", "Of these, not computed again.", cachedTokens.sum());
    counter(out, "ocellus_image_tokens_total", "Of these, image embeddings.", imageTokens.sum());
    counter(out, "ocellus_answer_tokens_total", "Tokens of answers.", answerTokens.sum());
    counter(out, "ocellus_images_encoded_total", "Images that were encoded.", imagesEncoded.sum());
    counter(out, "ocellus_images_reused_total", "Images that were not.", imagesReused.sum());
    counter(out, "ocellus_embeddings_total", "Vectors of images and texts.", embeddings.sum());
    counter(out, "ocellus_cancelled_total", "Answers nobody waited for.", cancelled.sum());
    counter(out, "ocellus_prefill_seconds_total", "Time for prompts.", prefillSeconds.sum());
    counter(out, "ocellus_decode_seconds_total", "Time for answers.", decodeSeconds.sum());
    out.append("# HELP ocellus_requests_total Requests.\n# TYPE ocellus_requests_total counter\n");
    new TreeMap<>(requests)
        .forEach((labels, n) ->
            out.append("ocellus_requests_total{%s} %d\n".formatted(labels, n.sum())));
    gauge(out, "ocellus_requests_active", "Requests that are not answered yet.", active.get());
    gauge(out, "ocellus_answers_queued", "Answers that wait.", now.queued);
    gauge(out, "ocellus_answers_running", "Answers that are being generated.", now.running);
    gauge(out, "ocellus_models_loaded", "Models in memory.", now.loaded);
    gauge(
        out,
        "ocellus_kept_prefixes",
        "Beginnings of conversations that are kept for others.",
        now.keptPrefixes);
    gauge(out, "ocellus_kept_tokens", "Tokens of them.", now.keptTokens);
    out.append("# HELP ocellus_first_token_seconds From a request to its first text.\n");
    out.append("# TYPE ocellus_first_token_seconds histogram\n");
    firstToken.write(out, "ocellus_first_token_seconds");
    counter(out, "llamacpp:prompt_tokens_total", "Tokens of prompts.", promptTokens.sum());
    counter(out, "llamacpp:prompt_seconds_total", "Time for prompts.", prefillSeconds.sum());
    counter(out, "llamacpp:tokens_predicted_total", "Tokens of answers.", answerTokens.sum());
    counter(
        out, "llamacpp:tokens_predicted_seconds_total", "Time for answers.", decodeSeconds.sum());
    gauge(out, "llamacpp:requests_processing", "Answers being generated.", now.running);
    gauge(out, "llamacpp:requests_deferred", "Answers that wait.", now.queued);
    return out.toString();
  }

  private static void counter(StringBuilder out, String name, String help, Number value) {
    metric(out, name, help, "counter", value);
  }

  private static void gauge(StringBuilder out, String name, String help, Number value) {
    metric(out, name, help, "gauge", value);
  }

  private static void metric(
      StringBuilder out, String name, String help, String type, Number value) {
    out.append(
        "# HELP %s %s\n# TYPE %s %s\n%s %s\n".formatted(name, help, name, type, name, value));
  }
}
