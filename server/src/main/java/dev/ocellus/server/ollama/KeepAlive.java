package dev.ocellus.server.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.ModelHost;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How long a model stays loaded after a request: {@code keep_alive} is a number of seconds or a
 * text in which each number has a unit ({@code 5m}, {@code 1h30m}); negative is for ever, and zero
 * is over with the request.
 *
 * @see <a href="https://pkg.go.dev/time#ParseDuration">ParseDuration</a>
 */
final class KeepAlive {
  private static final String KEY = "keep_alive";
  private static final Pattern PART =
      Pattern.compile("(\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)");
  private static final Map<String, Double> SECONDS =
      Map.of(
          "ns", 1e-9, "us", 1e-6, "µs", 1e-6, "μs", 1e-6, "ms", 1e-3, "s", 1.0, "m", 60.0, "h",
          3600.0);

  private final ModelHost host;
  private final HostedModel model;
  private final @Nullable Duration time;

  /**
   * Reads what a request says.
   *
   * @throws dev.ocellus.server.api.ApiException if it is no duration
   */
  KeepAlive(ModelHost host, HostedModel model, Params p) {
    this.host = host;
    this.model = model;
    JsonNode given = p.find(KEY);
    this.time = given == null ? null : time(p, given);
  }

  private static Duration time(Params p, JsonNode given) {
    double seconds =
        given.isTextual()
            ? seconds(given.textValue())
            : given.isNumber() ? given.doubleValue() : Double.NaN;
    if (Double.isNaN(seconds)) {
      throw p.expected(KEY, "seconds as a number, or a duration such as 5m or -1s", given);
    }
    boolean endless = seconds < 0 || seconds >= ModelHost.FOR_EVER.toSeconds();
    return endless ? ModelHost.FOR_EVER : Duration.ofNanos(Math.round(seconds * 1e9));
  }

  /** NaN for what is no duration. */
  private static double seconds(String text) {
    boolean signed = text.startsWith("-") || text.startsWith("+");
    String rest = signed ? text.substring(1) : text;
    if (rest.equals("0")) {
      return 0;
    }
    double seconds = 0;
    int at = 0;
    Matcher part = PART.matcher(rest);
    while (at < rest.length() && part.find(at) && part.start() == at) {
      seconds += Double.parseDouble(part.group(1)) * SECONDS.getOrDefault(part.group(2), 0.0);
      at = part.end();
    }
    if (at == 0 || at < rest.length()) {
      return Double.NaN;
    }
    return text.startsWith("-") ? -seconds : seconds;
  }

  /** Whether the model is not needed any more. */
  boolean isOver() {
    return time != null && time.isZero();
  }

  /** Says it to the host, when the model is loaded. */
  void apply() {
    if (time != null) {
      host.keep(model, time);
    }
  }

  /** Unloads the model, if it is over and nobody else uses it. */
  void end() {
    if (isOver()) {
      boolean unused = host.unloadIdle(model);
    }
  }
}
