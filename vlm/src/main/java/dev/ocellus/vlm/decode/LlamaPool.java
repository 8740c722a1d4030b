package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import java.util.List;
import java.util.stream.IntStream;

/** The sequences of one context of libllama, which go through the model in shared batches. */
final class LlamaPool implements SequencePool {
  private final LlamaContext context;
  private final BatchScheduler scheduler;
  private final List<KvSequence> sequences;

  /**
   * @param context of {@code n} sequences; closed with this
   */
  LlamaPool(LlamaContext context, int n) {
    this.context = context;
    this.scheduler = new BatchScheduler(context);
    var sharing = new PrefixSharing(context);
    int nCtx = context.nCtx() / n;
    this.sequences =
        IntStream.range(0, n)
            .<KvSequence>mapToObj(i -> new BatchedSequence(context, scheduler, sharing, i, nCtx))
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
  public void close() {
    context.close(); // stops what is being computed
    scheduler.close();
  }
}
