package dev.ocellus.server.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Json;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;

/** Log probabilities of tokens, as chats of OpenAI's and of Ollama's API tell them. */
public final class LogProbsJson {
  /** JSON has no infinity; OpenAI gives this for a token that cannot be. */
  private static final double IMPOSSIBLE = -9999.0;

  private LogProbsJson() {}

  /**
   * A list of {@code {"token", "logprob", "bytes", "top_logprobs"}}.
   *
   * @param piece the bytes that a token stands for
   */
  public static ArrayNode list(List<TopLogProbs> tokens, IntFunction<byte[]> piece) {
    ArrayNode list = Json.array();
    for (TopLogProbs token : tokens) {
      ObjectNode entry = entry(token.chosen(), piece);
      ArrayNode top = entry.putArray("top_logprobs");
      token.top().forEach(likely -> top.add(entry(likely, piece)));
      list.add(entry);
    }
    return list;
  }

  private static ObjectNode entry(TopLogProbs.Entry token, IntFunction<byte[]> piece) {
    byte[] bytes = piece.apply(token.token());
    ObjectNode entry =
        Json.object()
            .put("token", new String(bytes, StandardCharsets.UTF_8))
            .put("logprob", number(token));
    ArrayNode list = entry.putArray("bytes");
    for (byte b : bytes) {
      list.add(b & 0xff);
    }
    return entry;
  }

  /** The logarithm of a probability as a number that JSON has. */
  public static double number(TopLogProbs.Entry token) {
    return Float.isFinite(token.logProb()) ? token.logProb() : IMPOSSIBLE;
  }
}
