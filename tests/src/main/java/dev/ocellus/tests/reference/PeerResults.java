package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How far llama.cpp's libmtmd is from the reference, by case: {@code peer_mtmd.json}. */
final class PeerResults {
  /**
   * One run.
   *
   * @param cosine of the projector's rows, absent where their number differs
   * @param maxError of the projector's rows, absent where their number differs
   * @param idsEqual whether the prompt has the reference's ids
   * @param sameTokens greedy tokens that equal the reference's before the first that does not
   */
  record Run(
      Optional<Double> cosine, Optional<Double> maxError, boolean idsEqual, int sameTokens) {}

  /**
   * @param normal as libmtmd does it
   * @param resizedFirst with images that have the processor's size already, so that only graphs
   *     differ; absent where libmtmd keeps the size anyway
   */
  record Case(Run normal, Optional<Run> resizedFirst) {}

  private final @Nullable JsonNode cases;

  private PeerResults(@Nullable JsonNode cases) {
    this.cases = cases;
  }

  /** The results for a model; without cases if there is no such file. */
  static PeerResults of(Reference reference, String model) {
    Path file = reference.directory(model).resolve("peer_mtmd.json");
    if (!Files.exists(file)) {
      return new PeerResults(null);
    }
    try {
      return new PeerResults(new ObjectMapper().readTree(file.toFile()).get("cases"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Optional<Case> find(String name) {
    if (cases == null || !cases.has(name)) {
      return Optional.empty();
    }
    JsonNode json = cases.get(name);
    Optional<Run> resized =
        json.has("resized_first") ? Optional.of(run(json.get("resized_first"))) : Optional.empty();
    return Optional.of(new Case(run(json), resized));
  }

  private static Run run(JsonNode json) {
    JsonNode rows = json.path("projector");
    return new Run(
        number(rows, "cos"),
        number(rows, "max_abs"),
        json.path("tokens_equal").asBoolean(),
        json.path("greedy_same_prefix").asInt());
  }

  private static Optional<Double> number(JsonNode json, String key) {
    JsonNode value = json.path(key);
    return value.isNumber() && Double.isFinite(value.asDouble())
        ? Optional.of(value.asDouble())
        : Optional.empty();
  }
}
