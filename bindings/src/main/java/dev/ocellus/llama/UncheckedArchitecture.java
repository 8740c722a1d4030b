package dev.ocellus.llama;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.Hyperparameters.Cache;
import dev.ocellus.llama.Hyperparameters.YarnRange;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;

/**
 * Architectures that libllama knows and nobody has gone through here. Only what its loader asserts
 * about every architecture is checked; its graph of this one may still end the process.
 */
final class UncheckedArchitecture {
  private static final Logger LOG = System.getLogger("dev.ocellus.llama");
  private static final Set<String> ROPE_SCALING = Set.of("none", "linear", "yarn", "longrope");

  private UncheckedArchitecture() {}

  static Hyperparameters read(GgufFile file, String name) {
    ModelKeys keys = new ModelKeys(file, name);
    int nLayer = keys.size("block_count", 512);
    int nEmbd = keys.size("embedding_length", 1 << 20);
    keys.size("context_length", 1 << 28);
    keys.optionalRange("nextn_predict_layers", 0, nLayer - 1);
    experts(keys, nLayer);
    keys.metadata()
        .findString(keys.key("rope.scaling.type"))
        .ifPresent(type ->
            keys.require(
                ROPE_SCALING.contains(type),
                "rope.scaling.type",
                "one of " + ROPE_SCALING,
                "\"" + type + "\""));
    LOG.log(
        Level.WARNING,
        "{0}: the text architecture \"{1}\" is not checked: if the file is damaged, or of an"
            + " unusual configuration, it can end the process",
        file.path(),
        name);
    // twice the width of the embedding for keys and values is more than most models have
    long elements = (long) nEmbd * nLayer;
    return new Hyperparameters(
        nLayer,
        nEmbd,
        1,
        0, // libllama compares it with the types of the cache
        0,
        new Cache(elements / 2, elements / 2, false),
        true,
        new YarnRange(32, 1));
  }

  private static void experts(ModelKeys keys, int nLayer) {
    int nExpert = keys.optional("expert_count", 0, 0, 1024);
    String used = "expert_used_count";
    if (keys.has(used)) {
      long most = 0;
      for (long n : keys.each(used, nLayer, 0, nExpert)) {
        most = Math.max(most, n);
      }
      keys.require(most > 0 || nExpert == 0, used, "1 to %d".formatted(nExpert), most);
    } else {
      keys.require(nExpert == 0, "expert_count", "0 without " + used, nExpert);
    }
    int nGroups = keys.optional("expert_group_count", 0, 0, Math.max(0, nExpert - 1));
    if (nGroups > 1) {
      keys.require(
          nExpert % nGroups == 0, "expert_group_count", "a divisor of " + nExpert, nGroups);
      keys.required("expert_group_used_count", 1, nGroups - 1);
    }
  }
}
