package dev.ocellus.quantize;

/**
 * How much an error of the same relative size harms the answer, by what a tensor is for; one for
 * most.
 */
final class Harm {
  private Harm() {}

  static double of(String name) {
    return switch (TensorRole.of(name)) {
      case OUTPUT -> 1;
      case TOKEN_EMBEDDING -> 1;
      default -> 1;
    };
  }
}
