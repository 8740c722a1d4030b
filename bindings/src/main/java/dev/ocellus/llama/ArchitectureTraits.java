package dev.ocellus.llama;

import java.util.List;

/**
 * What libllama's loader and graph of one architecture take for granted about a file. Made by
 * chaining; what is not said is the usual: dense, no window, nothing but tokens after tokens.
 */
final class ArchitectureTraits {
  /** Which elements of a head are rotated. */
  enum Rotary {
    /** Any even number of them. */
    PART,
    /** All. */
    WHOLE_HEAD,
    /** All, each section by another axis of the position. */
    SECTIONS,
    /** Any even number of them, each section by another axis of the position. */
    PART_BY_SECTIONS,
    /** Any even number of them; by axes where the file has sections. */
    PART_OR_SECTIONS,
    /** All; by axes where the file has sections. */
    WHOLE_OR_SECTIONS
  }

  /** Whether some layers attend to a limited number of tokens back. */
  enum Window {
    NONE,
    OPTIONAL,
    ALWAYS
  }

  /** Whether each token goes through a few of many feed-forward blocks (mixture of experts). */
  enum Experts {
    NONE,
    OPTIONAL,
    ALWAYS,
    /** None; a file may count one. */
    ONE_IS_NONE
  }

  /** A check of an architecture's own. */
  @FunctionalInterface
  interface Rule {
    void check(ModelKeys keys, int nLayer, int nEmbd);
  }

  final Rotary rotary;

  /** Whether all heads together must be as wide as the embedding. */
  boolean headsFillEmbedding;

  Window window = Window.NONE;

  /** Every how many layers one attends to all tokens, unless the file says it. */
  int windowPeriod = 1;

  Experts experts = Experts.NONE;

  /** Whether experts may be chosen by groups. */
  boolean expertGroups;

  /** Whether libllama leaves out blocks that predict further tokens. */
  boolean nextTokenBlocks;

  /** Whether feed-forward blocks may have different sizes. */
  boolean blocksDiffer;

  /** Whether the graph of images ends the process where positions have no axes. */
  boolean embeddingsNeedSections;

  /** Whether the form in which libllama saves its cache is known. */
  boolean saved = true;

  /** Whether queries are of a low rank, always. */
  boolean queriesOfLowRank;

  /** Whether the cache may hold the low rank of keys and values alone. */
  boolean latentCache;

  AttentionBlocks.Reader attention = AttentionBlocks::alike;
  List<Rule> rules = List.of();

  private ArchitectureTraits(Rotary rotary) {
    this.rotary = rotary;
  }

  static ArchitectureTraits rotating(Rotary rotary) {
    return new ArchitectureTraits(rotary);
  }

  ArchitectureTraits headsFillEmbedding() {
    headsFillEmbedding = true;
    return this;
  }

  ArchitectureTraits window(Window value, int period) {
    window = value;
    windowPeriod = period;
    return this;
  }

  ArchitectureTraits experts(Experts value) {
    experts = value;
    return this;
  }

  ArchitectureTraits expertGroups() {
    expertGroups = true;
    return this;
  }

  ArchitectureTraits nextTokenBlocks() {
    nextTokenBlocks = true;
    return this;
  }

  ArchitectureTraits blocksDiffer() {
    blocksDiffer = true;
    return this;
  }

  ArchitectureTraits embeddingsNeedSections() {
    embeddingsNeedSections = true;
    return this;
  }

  ArchitectureTraits notSaved() {
    saved = false;
    return this;
  }

  ArchitectureTraits queriesOfLowRank() {
    queriesOfLowRank = true;
    return this;
  }

  ArchitectureTraits latentCache() {
    latentCache = true;
    return this;
  }

  ArchitectureTraits attention(AttentionBlocks.Reader reader) {
    attention = reader;
    return this;
  }

  ArchitectureTraits rules(Rule... values) {
    rules = List.of(values);
    return this;
  }
}
