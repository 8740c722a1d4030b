package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.PromptAttention;

/**
 * Computes the embeddings of an image. It may have more of them than a batch; it is decoded in
 * parts, as long text is, unless they attend to each other.
 *
 * @param nPositions axes that the model wants
 */
record ImageRows(KvSequence sequence, int nPositions, PromptAttention attention) {
  /**
   * Computes all of an entry.
   *
   * @param position of the first embedding
   * @param number of the image, for numbered grids
   * @param last whether nothing follows, so that logits are wanted
   */
  void decode(
      ContextEntry.Image image, int position, int number, boolean last, CancellationFlag flag) {
    int nEmbeddings = image.embeddings().count();
    boolean inOrder = inOrder(image.embeddings());
    boolean causal = !inOrder && attention.causal();
    int mostAtOnce = inOrder ? sequence.nUbatch() : sequence.nBatch();
    for (int row = 0; row < nEmbeddings; ) {
      int n = Math.min(nEmbeddings - row, mostAtOnce);
      sequence.decodeEmbeddings(
          image.image(),
          image.from() + row,
          ContextEntry.axes(image.embeddings(), row, n, position, nPositions, number),
          causal,
          last && row + n == nEmbeddings,
          flag);
      row += n;
    }
  }

  /**
   * Whether positions do not follow the order of the embeddings, which those that have been
   * computed before show to all that come after, and masks among those that are computed together.
   */
  private boolean inOrder(ImagePiece.Embeddings embeddings) {
    return switch (attention) {
      case IMAGES_IN_ORDER -> true;
      case VIDEOS_IN_ORDER -> embeddings.sharesTimes();
      default -> false;
    };
  }
}
