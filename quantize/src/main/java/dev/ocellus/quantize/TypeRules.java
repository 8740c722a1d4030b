package dev.ocellus.quantize;

import static dev.ocellus.gguf.TensorType.IQ2_S;
import static dev.ocellus.gguf.TensorType.IQ2_XXS;
import static dev.ocellus.gguf.TensorType.IQ3_S;
import static dev.ocellus.gguf.TensorType.IQ3_XXS;
import static dev.ocellus.gguf.TensorType.Q2_K;
import static dev.ocellus.gguf.TensorType.Q3_K;
import static dev.ocellus.gguf.TensorType.Q4_1;
import static dev.ocellus.gguf.TensorType.Q4_K;
import static dev.ocellus.gguf.TensorType.Q5_1;
import static dev.ocellus.gguf.TensorType.Q5_K;
import static dev.ocellus.gguf.TensorType.Q6_K;
import static dev.ocellus.gguf.TensorType.Q8_0;

import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The types that a recipe chooses for single tensors, by what they are for and how deep they lie:
 * those of llama.cpp v0.4.0. Tensors must be asked for in the order of the output file, as some
 * rules count.
 */
final class TypeRules {
  private static final Pattern LAYER = Pattern.compile("^blk\\.\\s*([+-]?\\d{1,9})\\.");

  private final Recipe recipe;
  private final ModelTraits model;
  private final boolean hasImportance;
  private final boolean tied;
  private final int nValues;
  private final @Nullable TensorType outputType;
  private final @Nullable TensorType embeddingType;
  private int values;
  private int downs;
  private int gates;
  private int ups;

  /**
   * @param nValues tensors of the model that {@linkplain TensorRole#makesValues make values}
   * @param tied whether the token embeddings are the output weights too
   */
  TypeRules(QuantizeOptions options, ModelTraits model, int nValues, boolean tied) {
    this.recipe = options.recipe();
    this.model = model;
    this.hasImportance = options.importance() != null;
    this.tied = tied;
    this.nValues = nValues;
    this.outputType = options.outputTensorType();
    this.embeddingType = options.tokenEmbeddingType();
  }

  TensorType typeOf(GgufTensor t) {
    TensorType usual = recipe.type();
    TensorRole role = TensorRole.of(t.name());
    if (role == TensorRole.OUTPUT || (tied && role == TensorRole.TOKEN_EMBEDDING)) {
      return outputType != null ? outputType : output(t, usual);
    }
    if (recipe == Recipe.MXFP4_MOE) {
      boolean ffn =
          role == TensorRole.FFN_UP || role == TensorRole.FFN_GATE || role == TensorRole.FFN_DOWN;
      boolean experts = t.dim(2) > 1 && (ffn || !model.architecture().equals("bailingmoe3"));
      return experts ? usual : Q8_0;
    }
    if (role == TensorRole.TOKEN_EMBEDDING) {
      return embeddingType != null ? embeddingType : embedding(usual);
    }
    if (recipe.isTiny()) {
      return tiny(role, usual);
    }
    return switch (role) {
      case ATTENTION_V, ATTENTION_QKV, ATTENTION_KV_B -> value(usual);
      case ATTENTION_K -> model.nExpert() == 8 ? Q8_0 : keyOrQuery(usual);
      case ATTENTION_Q -> keyOrQuery(usual);
      case FFN_DOWN -> down(layer(t, downs++), usual);
      case ATTENTION_OUTPUT -> attentionOutput(usual);
      case FFN_GATE -> middleSmaller(layer(t, gates++), usual);
      case FFN_UP -> middleSmaller(layer(t, ups++), usual);
      case TOKEN_EMBEDDING, OUTPUT, OTHER -> usual;
    };
  }

  private TensorType output(GgufTensor t, TensorType usual) {
    if (recipe == Recipe.MXFP4_MOE
        || falcon()
        || t.dim(0) % usual.blockSize() != 0
        || usual == Q8_0) {
      return Q8_0;
    }
    return switch (recipe) {
      case IQ2_XXS, IQ2_XS, IQ3_XXS, IQ1_S, IQ2_S, IQ2_M, IQ1_M -> Q5_K;
      default -> Q6_K;
    };
  }

  private TensorType embedding(TensorType usual) {
    return switch (recipe) {
      case IQ2_XXS, IQ2_XS, IQ1_S, IQ1_M -> Q2_K;
      case IQ2_S, IQ2_M, IQ3_XXS -> IQ3_S;
      case TQ1_0, TQ2_0, Q2_0 -> Q4_K;
      default -> usual;
    };
  }

  private TensorType tiny(TensorRole role, TensorType usual) {
    boolean larger = recipe == Recipe.IQ2_S || recipe == Recipe.IQ2_M;
    if (role.makesValues()) {
      values++;
      return model.nGqa() >= 4 || model.nExpert() >= 4 ? Q4_K : larger ? IQ3_S : Q2_K;
    }
    if (role == TensorRole.ATTENTION_K && model.nExpert() == 8) {
      return Q4_K;
    }
    if (role == TensorRole.FFN_DOWN) {
      return downs++ < model.nLayer() / 8 ? larger ? IQ3_S : Q2_K : usual;
    }
    if (role == TensorRole.ATTENTION_OUTPUT) {
      if (model.nExpert() == 8) {
        return Q5_K;
      }
      return switch (recipe) {
        case IQ1_S, IQ1_M -> IQ2_XXS;
        case IQ2_S, IQ2_M -> IQ3_S;
        default -> usual;
      };
    }
    return usual;
  }

  private TensorType value(TensorType usual) {
    boolean shared = model.nGqa() >= 4;
    int i = values++;
    TensorType type =
        switch (recipe) {
          case Q2_K -> shared ? Q4_K : Q3_K;
          case Q2_K_S, IQ3_XS, IQ3_S -> shared ? Q4_K : usual;
          case IQ3_XXS -> shared ? Q4_K : hasImportance ? IQ3_XXS : IQ3_S;
          case IQ3_M -> Q4_K;
          case Q3_K_M -> i < 2 ? Q5_K : Q4_K;
          case Q3_K_L -> Q5_K;
          case IQ4_NL, IQ4_XS -> shared ? Q5_K : usual;
          case Q4_K_M, Q5_K_M -> matters(i, nValues) ? Q6_K : usual;
          case Q4_K_S -> i < 4 ? Q5_K : usual;
          default -> usual;
        };
    if (model.grouped70b() && (type == Q3_K || type == Q4_K)) {
      type = Q5_K;
    }
    return model.nExpert() == 8 ? Q8_0 : type;
  }

  private TensorType keyOrQuery(TensorType usual) {
    return switch (recipe) {
      case IQ3_XS -> IQ3_XXS;
      case IQ3_XXS -> IQ2_S;
      default -> usual;
    };
  }

  private TensorType down(int layer, TensorType usual) {
    int n = model.nLayer();
    boolean early = layer < n / 8;
    return switch (recipe) {
      case Q2_K -> Q3_K;
      case Q2_K_S -> early ? Q4_K : usual;
      case IQ3_XXS -> hasImportance ? usual : early ? Q4_K : Q3_K;
      case Q3_K_M -> layer < n / 16 ? Q5_K : !falcon() || matters(layer, n) ? Q4_K : Q3_K;
      case IQ3_M -> early || (model.nExpert() == 8 && matters(layer, n)) ? Q4_K : usual;
      case Q3_K_L -> falcon() ? Q4_K : Q5_K;
      case Q4_K_M -> {
        if (falcon()) {
          yield layer < n / 16 ? Q6_K : matters(layer, n) ? Q5_K : Q4_K;
        }
        yield matters(layer, n) ? Q6_K : usual;
      }
      case IQ4_NL, IQ4_XS -> early && !hasImportance ? Q5_K : usual;
      case Q5_K_M -> matters(layer, n) ? Q6_K : usual;
      case Q4_K_S -> early && !falcon() ? Q5_K : usual;
      case Q4_0 -> early && hasImportance ? Q4_1 : usual;
      case Q5_0 -> early && hasImportance ? Q5_1 : usual;
      default -> usual;
    };
  }

  private TensorType attentionOutput(TensorType usual) {
    if (falcon()) {
      return recipe == Recipe.Q3_K_L ? Q4_K : usual;
    }
    if (model.nExpert() == 8) {
      return switch (recipe) {
        case Q2_K, IQ3_XS, IQ3_XXS, Q3_K_S, Q3_K_M, IQ4_NL, Q4_K_S, Q4_K_M, IQ3_S, IQ3_M, IQ4_XS ->
            Q5_K;
        default -> usual;
      };
    }
    return switch (recipe) {
      case Q2_K -> Q3_K;
      case IQ3_XXS -> IQ3_S;
      case Q3_K_M, IQ3_M -> Q4_K;
      case Q3_K_L -> Q5_K;
      default -> usual;
    };
  }

  private TensorType middleSmaller(int layer, TensorType usual) {
    int n = model.nLayer();
    return recipe == Recipe.IQ3_XS && layer >= n / 8 && layer < 7 * n / 8 ? IQ3_XXS : usual;
  }

  /** The first and last eighth of the layers, and every third between. */
  private static boolean matters(int layer, int n) {
    return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
  }

  /** The layer of a tensor: counted, or by its name where experts are many tensors. */
  private int layer(GgufTensor t, int counted) {
    if (model.nExpert() <= 1) {
      return counted;
    }
    Matcher m = LAYER.matcher(t.name());
    int layer = m.find() ? Integer.parseInt(m.group(1)) : -1;
    if (layer < 0 || layer >= model.nLayer()) {
      throw new QuantizeException(
          "%s: expected the name of a tensor of block 0 to %d (blk.N.…), as the model has %d experts. Its metadata do not fit its tensors; convert it again."
              .formatted(t.name(), model.nLayer() - 1, model.nExpert()));
    }
    return layer;
  }

  private boolean falcon() {
    return model.architecture().equals("falcon");
  }
}
