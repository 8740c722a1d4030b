package dev.ocellus.convert.model.maker;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names of VQGAN's tensors, as taming-transformers, transformers' Chameleon and Janus, and Janus'
 * and LlamaGen's authors write them, to those of the file.
 */
final class VqNames {
  private static final String CHANGE =
      "(encoder|decoder)\\.(?:(down|up|conv_blocks)\\.(\\d{1,2})\\.(.*)|mid\\.(\\w+)\\.(.*)|(conv_in|norm_out|conv_out)\\.(.*))";
  private static final Pattern PART = Pattern.compile(CHANGE);
  private static final Pattern STEP =
      Pattern.compile("(?:block|res)\\.(\\d{1,3})\\.(.*)|attn\\.(\\d{1,3})\\.(.*)");

  private final boolean lastFirst;
  private final int nLevels;

  /**
   * @param lastFirst whether the decoder's levels are numbered from the largest maps, which are
   *     computed last
   * @param nLevels of the decoder
   */
  VqNames(boolean lastFirst, int nLevels) {
    this.lastFirst = lastFirst;
    this.nLevels = nLevels;
  }

  /** The name in the file, or nothing for a tensor that has no place in it. */
  Optional<String> find(String name) {
    if (name.equals("quantize.embedding.weight")) {
      return Optional.of("codebook.weight");
    }
    if (name.startsWith("quant_conv.") || name.startsWith("post_quant_conv.")) {
      return Optional.of(name);
    }
    Matcher m = PART.matcher(name);
    if (!m.matches()) {
      return Optional.empty();
    }
    boolean encodes = m.group(1).equals("encoder");
    String half = encodes ? "enc." : "dec.";
    if (m.group(2) != null) {
      int level = Integer.parseInt(m.group(3));
      int number = !encodes && lastFirst ? nLevels - 1 - level : level;
      String where = half + (encodes ? "down." : "up.") + number + ".";
      return inLevel(m.group(4)).map(where::concat);
    }
    if (m.group(5) != null) {
      return inMiddle(m.group(5), m.group(6)).map(rest -> half + "mid." + rest);
    }
    return Optional.of(half + m.group(7) + "." + m.group(8));
  }

  private static Optional<String> inLevel(String rest) {
    for (String sampler : new String[] {"downsample.conv.", "upsample.conv."}) {
      if (rest.startsWith(sampler)) {
        return Optional.of("sample." + rest.substring(sampler.length()));
      }
    }
    Matcher m = STEP.matcher(rest);
    if (!m.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        m.group(1) != null
            ? "block." + m.group(1) + "." + inBlock(m.group(2))
            : "attn." + m.group(3) + "." + inAttention(m.group(4)));
  }

  /** Two blocks with attention between; there are two ways to name them. */
  private static Optional<String> inMiddle(String part, String rest) {
    return switch (part) {
      case "block_1", "0" -> Optional.of("block.0." + inBlock(rest));
      case "attn_1", "1" -> Optional.of("attn.0." + inAttention(rest));
      case "block_2", "2" -> Optional.of("block.1." + inBlock(rest));
      default -> Optional.empty();
    };
  }

  private static String inBlock(String rest) {
    return rest.replaceFirst("^(nin_shortcut|conv_shortcut)\\.", "shortcut.");
  }

  private static String inAttention(String rest) {
    return rest.replaceFirst("^proj_out\\.", "out.");
  }
}
