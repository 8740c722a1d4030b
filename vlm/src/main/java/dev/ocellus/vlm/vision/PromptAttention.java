package dev.ocellus.vlm.vision;

/** Which positions of a prompt the text model of a family lets attend to which. */
public enum PromptAttention {
  /** Every position attends to itself and to those before it. */
  CAUSAL,
  /** As {@link #CAUSAL}, and the embeddings of an image attend to each other. */
  NON_CAUSAL_IMAGES,
  /**
   * All positions of the prompt, text and images, attend to each other (prefix-LM); those of the
   * answer to what stands before them. Such a prompt is computed at once, and anew when it has
   * changed.
   */
  BIDIRECTIONAL_PREFIX
}
