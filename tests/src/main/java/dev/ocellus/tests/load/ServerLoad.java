package dev.ocellus.tests.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Many clients at once against a server of OpenAI's API: questions about images and without, some
 * that leave in the middle, some that read slowly. For {@code scripts/load.sh}; any server will do,
 * so that two can be compared.
 */
public final class ServerLoad {
  private static final int MAX_TOKENS = 32;
  private static final Pattern COUNTED = Pattern.compile("\"completion_tokens\":(\\d+)");

  private final URI url;
  private final String model;
  private final List<String> images;
  private final long end;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(30))
          .build();
  private final List<Double> firstMillis = Collections.synchronizedList(new ArrayList<>());
  private final List<Double> wholeMillis = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger answered = new AtomicInteger();
  private final AtomicInteger left = new AtomicInteger();
  private final LongAdder tokens = new LongAdder();
  private final Map<String, AtomicInteger> failures = new ConcurrentHashMap<>();

  private ServerLoad(URI url, String model, List<String> images, Duration time) {
    this.url = url;
    this.model = model;
    this.images = images;
    this.end = System.nanoTime() + time.toNanos();
  }

  /**
   * {@code URL CLIENTS SECONDS MODEL IMAGE…}, and the process id of the server as {@code pid=N}.
   */
  public static void main(String[] arguments) throws Exception {
    List<String> images = new ArrayList<>();
    String pid = "";
    for (int i = 4; i < arguments.length; i++) {
      if (arguments[i].startsWith("pid=")) {
        pid = arguments[i].substring(4);
      } else {
        byte[] file = Files.readAllBytes(Path.of(arguments[i]));
        images.add("data:image/png;base64," + Base64.getEncoder().encodeToString(file));
      }
    }
    var load =
        new ServerLoad(
            URI.create(arguments[0] + "/v1/chat/completions"),
            arguments[3],
            images,
            Duration.ofSeconds(Long.parseLong(arguments[2])));
    System.exit(load.run(Integer.parseInt(arguments[1]), new ServerProcess(pid)) ? 0 : 1);
  }

  private boolean run(int nClients, ServerProcess server) throws Exception {
    System.out.println("seconds  resident MiB  CPU s  answered  left  failed");
    long start = System.nanoTime();
    double cpu = server.cpuSeconds();
    List<Long> resident = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < nClients; i++) {
        Random random = new Random(i);
        threads.submit(() -> client(random));
      }
      while (System.nanoTime() < end) {
        Thread.sleep(Math.clamp((end - System.nanoTime()) / 1_000_000, 1, 15_000));
        resident.add(server.residentMib());
        report(start, server, resident.getLast());
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "%d answers (%.1f/s, %.0f tokens/s, %.1f ms of processor time each), %d left by their clients, failures %s%n",
        answered.get(),
        answered.get() / seconds,
        tokens.sum() / seconds,
        1000 * (server.cpuSeconds() - cpu) / Math.max(1, answered.get() + left.get()),
        left.get(),
        new TreeMap<>(failures));
    System.out.printf(
        Locale.ROOT,
        "first text: p50 %.0f ms, p99 %.0f ms; whole answer: p50 %.0f ms, p99 %.0f ms%n",
        quantile(firstMillis, 0.5),
        quantile(firstMillis, 0.99),
        quantile(wholeMillis, 0.5),
        quantile(wholeMillis, 0.99));
    System.out.printf(
        "resident MiB: %s at first, %s after a quarter, %s at half, %s at the end%n",
        resident.getFirst(),
        resident.get(resident.size() / 4),
        resident.get(resident.size() / 2),
        resident.getLast());
    return failures.isEmpty();
  }

  private void report(long start, ServerProcess server, long mib) {
    int failed = failures.values().stream().mapToInt(AtomicInteger::get).sum();
    System.out.printf(
        Locale.ROOT,
        "%7d  %12d  %5.0f  %8d  %4d  %6d%n",
        (System.nanoTime() - start) / 1_000_000_000,
        mib,
        server.cpuSeconds(),
        answered.get(),
        left.get(),
        failed);
  }

  private static double quantile(List<Double> values, double q) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.isEmpty() ? Double.NaN : sorted.get((int) (q * (sorted.size() - 1)));
  }

  private void client(Random random) {
    while (System.nanoTime() < end) {
      try {
        ask(random);
      } catch (IOException | RuntimeException e) {
        fail(String.valueOf(e));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void fail(String what) {
    failures.computeIfAbsent(what, key -> new AtomicInteger()).incrementAndGet();
  }

  /** How a client behaves: a tenth leaves at some piece, a twentieth reads slowly. */
  private record Manner(int leavesAt, boolean slow) {
    static Manner of(Random random) {
      int leavesAt = random.nextInt(10) == 0 ? random.nextInt(4) : -1;
      return new Manner(leavesAt, random.nextInt(20) == 0);
    }
  }

  private void ask(Random random) throws IOException, InterruptedException {
    Manner manner = Manner.of(random);
    long start = System.nanoTime();
    HttpResponse<InputStream> response =
        client.send(
            HttpRequest.newBuilder(url)
                .timeout(Duration.ofMinutes(5))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body(random)))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (var lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      if (response.statusCode() != 200) {
        fail("status " + response.statusCode() + " " + lines.readLine());
      } else if (manner.leavesAt == 0) {
        left.incrementAndGet(); // before there is any text
      } else {
        read(lines, manner, start);
      }
    }
  }

  private void read(BufferedReader lines, Manner manner, long start)
      throws IOException, InterruptedException {
    boolean complete = false;
    int n = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.contains("\"content\":\"") && !line.contains("\"content\":\"\"")) {
        if (n++ == 0) {
          firstMillis.add((System.nanoTime() - start) / 1e6);
        }
        if (n == manner.leavesAt) {
          left.incrementAndGet();
          return;
        }
        if (manner.slow) {
          Thread.sleep(50);
        }
      } else if (line.contains("\"error\"")) {
        fail(line);
        return;
      }
      complete |= line.equals("data: [DONE]");
      Matcher counted = COUNTED.matcher(line);
      if (counted.find()) {
        tokens.add(Long.parseLong(counted.group(1)));
      }
    }
    if (!complete) {
      fail("an answer without its end");
      return;
    }
    wholeMillis.add((System.nanoTime() - start) / 1e6);
    answered.incrementAndGet();
  }

  private String body(Random random) {
    String question = "Question %d: what is this?".formatted(random.nextInt(50));
    String text = "{\"type\": \"text\", \"text\": \"" + question + "\"}";
    String content = text;
    if (random.nextBoolean()) {
      String image = images.get(random.nextInt(images.size()));
      content = "{\"type\": \"image_url\", \"image_url\": {\"url\": \"" + image + "\"}}, " + text;
    }
    return "{\"model\": \"%s\", \"stream\": true, \"stream_options\": {\"include_usage\": true}, \"temperature\": 0.7, \"max_tokens\": %d, \"messages\": [{\"role\": \"user\", \"content\": [%s]}]}"
        .formatted(model, MAX_TOKENS, content);
  }
}
