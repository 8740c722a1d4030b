package dev.ocellus.vlm.decode;

import dev.ocellus.compute.Turns;
import dev.ocellus.llama.LlamaContext;
import java.util.List;
import java.util.stream.IntStream;

/** The sequences of one context of libllama, which go through the model in shared batches. */
final class LlamaPool implements SequencePool {
  /** The part of the places that beginnings of conversations may take beside those that go on. */
  private static final int KEPT_PART = 4;

  private final LlamaContext context;
  private final BatchScheduler scheduler;
  private final PrefixSharing sharing;
  private final List<KvSequence> sequences;

  /**
   * @param context of {@code n} sequences, and spare ones where beginnings of conversations are to
   *     be kept; closed with this
   */
  LlamaPool(LlamaContext context, int n) {
    this.context = context;
    SharedCells cells = SharedCells.of(context);
    int nSpare = context.options().nSeqSpare();
    this.sharing =
        new PrefixSharing(cells, new KeptPrefixes(cells, n, nSpare, context.nCtx() / KEPT_PART));
    this.scheduler = new BatchScheduler(context, sharing::makeRoom);
    var states = new StateSharing(context);
    int nCtx = context.nCtx() / n;
    this.sequences =
        IntStream.range(0, n)
            .<KvSequence>mapToObj(
                i -> new BatchedSequence(context, scheduler, sharing, states, i, nCtx))
            .toList();
  }

  @Override
  public List<KvSequence> sequences() {
    return sequences;
  }

  @Override
  public void pause(KvSequence sequence) {
    scheduler.leave((BatchedSequence) sequence);
  }

  @Override
  public void takeTurns(Turns turns) {
    scheduler.takeTurns(turns);
  }

  @Override
  public KeptUse kept() {
    return sharing.use();
  }

  @Override
  public void close() {
    context.close(); // stops what is being computed
    scheduler.close();
  }
}
