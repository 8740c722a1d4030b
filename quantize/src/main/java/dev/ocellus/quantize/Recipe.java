package dev.ocellus.quantize;

import dev.ocellus.gguf.TensorType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A named way to quantize a model: one type for most tensors, and rules for the others. Names,
 * numbers and rules are those of llama-quantize in llama.cpp v0.4.0 ({@code llama_ftype}).
 */
public enum Recipe {
  Q1_0(40, TensorType.Q1_0, "1.125 bits a weight"),
  Q2_0(41, TensorType.Q2_0, "2.25 bits a weight, groups of 64"),
  Q4_0(2, TensorType.Q4_0, "4.5 bits, plain blocks"),
  Q4_1(3, TensorType.Q4_1, "5 bits, plain blocks with an offset"),
  MXFP4_MOE(38, TensorType.MXFP4, "experts in MXFP4, everything else Q8_0"),
  Q5_0(8, TensorType.Q5_0, "5.5 bits, plain blocks"),
  Q5_1(9, TensorType.Q5_1, "6 bits, plain blocks with an offset"),
  IQ2_XXS(19, TensorType.IQ2_XXS, "2.06 bits a weight, needs an importance matrix"),
  IQ2_XS(20, TensorType.IQ2_XS, "2.31 bits a weight, needs an importance matrix"),
  IQ2_S(28, TensorType.IQ2_XS, "2.5 bits a weight, needs an importance matrix"),
  IQ2_M(29, TensorType.IQ2_S, "2.7 bits a weight, needs an importance matrix"),
  IQ1_S(24, TensorType.IQ1_S, "1.56 bits a weight, needs an importance matrix"),
  IQ1_M(31, TensorType.IQ1_M, "1.75 bits a weight, needs an importance matrix"),
  TQ1_0(36, TensorType.TQ1_0, "1.69 bits, for ternary models"),
  TQ2_0(37, TensorType.TQ2_0, "2.06 bits, for ternary models"),
  Q2_K(10, TensorType.Q2_K, "2.6 bits, mixed with Q3_K"),
  Q2_K_S(21, TensorType.Q2_K, "2.6 bits, needs an importance matrix"),
  IQ3_XXS(23, TensorType.IQ3_XXS, "3.06 bits a weight, needs an importance matrix"),
  IQ3_S(26, TensorType.IQ3_S, "3.44 bits a weight"),
  IQ3_M(27, TensorType.IQ3_S, "3.66 bits a weight, mixed"),
  IQ3_XS(22, TensorType.IQ3_S, "3.3 bits a weight, needs an importance matrix"),
  Q3_K_S(11, TensorType.Q3_K, "3.4 bits"),
  Q3_K_M(12, TensorType.Q3_K, "3.4 bits, mixed with Q4_K and Q5_K"),
  Q3_K_L(13, TensorType.Q3_K, "3.4 bits, mixed with Q5_K"),
  IQ4_NL(25, TensorType.IQ4_NL, "4.5 bits, values on a curve"),
  IQ4_XS(30, TensorType.IQ4_XS, "4.25 bits, values on a curve"),
  Q4_K_S(14, TensorType.Q4_K, "4.5 bits, few tensors larger"),
  Q4_K_M(15, TensorType.Q4_K, "4.5 bits, mixed with Q6_K; the usual choice"),
  Q5_K_S(16, TensorType.Q5_K, "5.5 bits"),
  Q5_K_M(17, TensorType.Q5_K, "5.5 bits, mixed with Q6_K"),
  Q6_K(18, TensorType.Q6_K, "6.6 bits"),
  Q8_0(7, TensorType.Q8_0, "8.5 bits, hardly any loss"),
  F16(1, TensorType.F16, "16 bits"),
  BF16(32, TensorType.BF16, "16 bits with the range of F32"),
  F32(0, TensorType.F32, "32 bits"),
  /** Every tensor as it is. */
  COPY(0, TensorType.F32, "copies all tensors as they are");

  private final int fileType;
  private final TensorType type;
  private final String description;

  Recipe(int fileType, TensorType type, String description) {
    this.fileType = fileType;
    this.type = type;
    this.description = description;
  }

  /** The number in {@code general.file_type}. */
  public int fileType() {
    return fileType;
  }

  /** The type of most tensors. */
  public TensorType type() {
    return type;
  }

  /** For people, in a few words. */
  public String description() {
    return description;
  }

  /**
   * The recipe of this name in any case, of an alias ({@code Q3_K}, {@code Q4_K}, {@code Q5_K} are
   * the {@code _M} mixtures) or of this {@code llama_ftype} number.
   *
   * @throws IllegalArgumentException if there is none; the message lists the names
   */
  public static Recipe parse(String text) {
    String name = text.toUpperCase(Locale.ROOT);
    String full =
        switch (name) {
          case "Q3_K", "Q4_K", "Q5_K" -> name + "_M";
          default -> name;
        };
    return Arrays.stream(values())
        .filter(r -> r.name().equals(full) || Integer.toString(r.fileType).equals(text))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "type: expected one of %s, found '%s'"
                    .formatted(
                        Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", ")),
                        text)));
  }

  /** The smallest recipes, whose sensitive tensors are kept at other types. */
  boolean isTiny() {
    return switch (this) {
      case IQ2_XXS, IQ2_XS, IQ2_S, IQ2_M, IQ1_S, IQ1_M -> true;
      default -> false;
    };
  }
}
