package dev.ocellus.vlm.codes;

import java.util.List;

/**
 * What predicts the codes of a VQ model.
 *
 * @param classes names of the start tokens, of all but the one for no class
 */
public record CodePrior(PriorGraph graph, List<String> classes) {
  public CodePrior {
    classes = List.copyOf(classes);
  }
}
