package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Checks that a text model is whole and that its tensors are as large as its configuration says.
 */
public final class TextShapes {
  /** In {@link TextModel#ownShapes}: the blocks differ, and their class checks them. */
  public static final long[] BY_BLOCK = {};

  private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d+)\\.(.+)");

  private static final List<String> IN_BLOCKS =
      List.of("attn_norm.weight", "attn_output.weight", "ffn_norm.weight");
  private static final List<String> FEED_FORWARD = List.of("ffn_up.weight", "ffn_down.weight");

  private final TextModel model;
  private final Map<String, long[]> expected = new HashMap<>();

  public TextShapes(TextModel model) {
    this.model = model;
    long nEmbd = model.nEmbd;
    long head = model.headDim();
    long q = model.nHead * head;
    long kv = model.nHeadKv * head;
    long nFf = model.nFf();
    put("token_embd.weight", model.nVocab(), nEmbd);
    put("output.weight", model.nVocab(), nEmbd);
    put(model.lastNorm(), nEmbd);
    put("attn_norm.weight", nEmbd);
    put("ffn_norm.weight", nEmbd);
    put("attn_q.weight", q, nEmbd);
    put("attn_q.bias", q);
    put("attn_k.weight", kv, nEmbd);
    put("attn_k.bias", kv);
    put("attn_v.weight", kv, nEmbd);
    put("attn_v.bias", kv);
    put("attn_qkv.weight", q + 2 * kv, nEmbd);
    put("attn_output.weight", nEmbd, q);
    put("attn_output.bias", nEmbd);
    put("attn_q_norm.weight", head);
    put("attn_k_norm.weight", head);
    put("ffn_down.weight", nEmbd, nFf);
    put("ffn_gate.weight", nFf, nEmbd);
    put("ffn_gate.bias", nFf);
    put("ffn_down.bias", nEmbd);
    put("ffn_up.bias", nFf);
    model.experts().ifPresent(experts -> expected.putAll(experts.shapes()));
    expected.putAll(model.ownShapes());
  }

  private void put(String name, long... shape) {
    expected.put(name, shape);
  }

  void check(List<TargetTensor> tensors) {
    Map<String, TargetTensor> byName = new HashMap<>();
    for (TargetTensor t : tensors) {
      if (byName.put(t.name(), t) != null) {
        throw model.context.sameTensor(t.name(), t.data().name());
      }
    }
    TreeSet<String> missing = new TreeSet<>();
    Stream.of("token_embd.weight", model.lastNorm())
        .filter(n -> !byName.containsKey(n))
        .forEach(missing::add);
    TreeSet<String> everywhere = new TreeSet<>(IN_BLOCKS);
    everywhere.addAll(model.ownShapes().keySet());
    everywhere.addAll(
        model.experts().map(e -> e.shapes().keySet()).orElse(Set.copyOf(FEED_FORWARD)));
    for (TargetTensor t : tensors) {
      Matcher m = BLOCK.matcher(t.name());
      if (m.matches()) {
        if (Long.parseLong(m.group(1)) >= model.nBlock) {
          throw model.config.invalid(
              "num_hidden_layers", "more, as there is " + t.name(), "" + model.nBlock);
        }
        everywhere.add(m.group(2));
      }
      checkShape(t, m.matches() ? m.group(2) : t.name());
    }
    for (int i = 0; i < model.nBlock && missing.size() < 100; i++) {
      for (String name : everywhere) {
        String full = "blk." + i + "." + name;
        if (!byName.containsKey(full) && !model.lacks(i, name)) {
          missing.add(full);
        }
      }
    }
    if (!missing.isEmpty()) {
      throw model.context.missingTensors("", missing);
    }
    checkHead(byName.get("output.weight"));
  }

  /** Without a head of its own llama.cpp takes the embedding, which must then be meant. */
  private void checkHead(@Nullable TargetTensor head) {
    if (head == null && !model.tiesEmbeddings()) {
      throw new ConversionException(
          "%s: lm_head.weight is missing, and tie_word_embeddings is false. Is a file of the checkpoint missing?"
              .formatted(model.context.folder().directory()));
    }
  }

  private void checkShape(TargetTensor t, String name) {
    check(name, t.data().name(), t.data().shape());
  }

  /** Checks a tensor's shape by its name in the GGUF file. */
  public void checkShape(String ggufName, String name, long... found) {
    Matcher m = BLOCK.matcher(ggufName);
    check(m.matches() ? m.group(2) : ggufName, name, found);
  }

  private void check(String key, String name, long... found) {
    long[] wanted = expected.get(key);
    if (wanted != null && wanted.length > 0) {
      require(model.context.folder().directory(), name, wanted, found);
    }
  }

  /** Refuses a tensor of another shape than the configuration says. */
  public static void require(Path folder, TargetTensor tensor, long... wanted) {
    require(folder, tensor.data().name(), wanted, tensor.data().shape());
  }

  private static void require(Path folder, String name, long[] wanted, long[] found) {
    if (!Arrays.equals(wanted, found)) {
      throw new ConversionException(
          "%s: tensor '%s': expected shape %s by the configuration, found %s. Configuration and tensors are not of one checkpoint."
              .formatted(folder, name, Arrays.toString(wanted), Arrays.toString(found)));
    }
  }
}
