package dev.ocellus.vlm.codes;

/** How much of an image's feature maps is held while they are computed. The result is the same. */
public enum MapBudget {
  /** What is fastest. */
  FAST,
  /** As little as can be, at the cost of computing some of it twice. */
  LEAST
}
