package dev.ocellus.vlm.codes;

import java.util.List;

/**
 * What predicts the codes of a VQ model.
 *
 * @param classes names of the start tokens, as many as there are
 */
public record CodePrior(PriorGraph graph, List<String> classes) {
  public CodePrior {
    classes = List.copyOf(classes);
  }
}
