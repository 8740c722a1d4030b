package dev.ocellus.vlm.vision;

/** Which positions of a prompt the text model of a family lets attend to which. */
public enum PromptAttention {
  /** Every position attends to itself and to those before it. */
  CAUSAL,
  /** As {@link #CAUSAL}, and the embeddings of an image attend to each other. */
  NON_CAUSAL_IMAGES,
  /**
   * As {@link #NON_CAUSAL_IMAGES}, in all layers of the text model and over any distance, also
   * where it has windows.
   */
  NON_CAUSAL_IMAGES_EVERYWHERE,
  /**
   * As {@link #CAUSAL}, where an image and the text that marks its parts stand together on a plane
   * of positions, which do not follow the order of the prompt.
   */
  IMAGES_IN_ORDER,
  /**
   * As {@link #CAUSAL}, where frames of a video may share a position in time, so that positions do
   * not tell which of them comes first.
   */
  VIDEOS_IN_ORDER,
  /**
   * All positions of the prompt, text and images, attend to each other (prefix-LM); those of the
   * answer to what stands before them. Such a prompt is computed at once, and anew when it has
   * changed.
   */
  BIDIRECTIONAL_PREFIX;

  /** Whether nothing attends to what stands behind it. */
  public boolean causal() {
    return this == CAUSAL || this == IMAGES_IN_ORDER || this == VIDEOS_IN_ORDER;
  }

  /** Whether the embeddings of an image attend to each other, and text to what is before it. */
  public boolean nonCausalImages() {
    return this == NON_CAUSAL_IMAGES || this == NON_CAUSAL_IMAGES_EVERYWHERE;
  }

  /** Whether tokens become embeddings, too. */
  public boolean takesTokensAsEmbeddings() {
    return this == IMAGES_IN_ORDER || this == BIDIRECTIONAL_PREFIX;
  }
}
