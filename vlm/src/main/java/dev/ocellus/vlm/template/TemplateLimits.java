package dev.ocellus.vlm.template;

/**
 * What one rendering may cost. Templates come with model files, so nobody vouches for them.
 *
 * @param maxSteps nodes evaluated, items visited and, by the hundred, characters searched
 * @param maxDepth nested nodes under evaluation, macro calls and loop recursion included
 * @param maxLength UTF-16 units in the output and in any string on the way, and items in a list
 * @param maxAllocation bytes, roughly, that the rendering creates over its whole course
 */
public record TemplateLimits(long maxSteps, int maxDepth, int maxLength, long maxAllocation) {
  /** Far above what a long conversation needs, reached within about a second by a runaway loop. */
  public static final TemplateLimits DEFAULT =
      new TemplateLimits(10_000_000, 1_200, 16 << 20, 128L << 20);

  public TemplateLimits {
    if (maxSteps <= 0 || maxDepth <= 0 || maxLength <= 0 || maxAllocation <= 0) {
      throw new IllegalArgumentException("template limits must be positive");
    }
  }
}
