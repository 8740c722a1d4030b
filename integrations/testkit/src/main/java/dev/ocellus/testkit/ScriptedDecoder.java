package dev.ocellus.testkit;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.decode.BeamDecoder;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.SequencePool;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.vision.EncodedImage;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A text model that has learnt its answers by heart: it reads the prompt's tokens, looks up what it
 * would say, and gives the next token of that the highest logit. Everything around it is as with
 * any model: templates, tokens, images, sampling, constraints, calls.
 *
 * @param real whose vocabulary it has, closed with it
 * @param script the answer to a prompt
 * @param nGenerated counts the tokens of all answers
 */
public record ScriptedDecoder(
    TextDecoder real, Function<String, String> script, AtomicInteger nGenerated)
    implements TextDecoder {
  /** What stands where an image does, for the script. */
  public static final String IMAGE = "<image>";

  private static final int N_BATCH = 512;

  @Override
  public Vocab vocab() {
    return real.vocab();
  }

  @Override
  public String description() {
    return "scripted";
  }

  @Override
  public int nCtxTrain() {
    return 1 << 16;
  }

  @Override
  public int embeddingWidth() {
    return real.embeddingWidth();
  }

  @Override
  public int nPositions() {
    return real.nPositions();
  }

  @Override
  public KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    return new Sequence(options.nCtx());
  }

  @Override
  public SequencePool newPool(int n, ContextOptions each) {
    throw new UnsupportedOperationException("one conversation at a time");
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    throw new UnsupportedOperationException("no beams");
  }

  @Override
  public void close() {
    real.close();
  }

  /** Remembers what it has read, and where the prompt ended. */
  private final class Sequence implements KvSequence {
    private static final int NOT_A_TOKEN = -1;

    private final int nCtx;
    private final List<Integer> tokens = new ArrayList<>();
    private int nAnswered;
    private int[] answer = {};
    private boolean closed;

    Sequence(int nCtx) {
      this.nCtx = nCtx;
    }

    @Override
    public int nCtx() {
      return nCtx;
    }

    @Override
    public int nBatch() {
      return N_BATCH;
    }

    @Override
    public int nUbatch() {
      return N_BATCH;
    }

    @Override
    public void decodeTokens(
        int[] ids, int from, int count, int position, int outputs, CancellationFlag flag) {
      check(flag);
      for (int i = 0; i < count; i++) {
        put(position + i, ids[from + i]);
      }
      if (outputs > 0) {
        read(count == 1 && nAnswered > 0);
      }
    }

    @Override
    public void decodeEmbeddings(
        EncodedImage image,
        int from,
        int[][] positions,
        boolean causal,
        boolean wantsLogits,
        CancellationFlag flag) {
      check(flag);
      for (int[] position : positions) {
        put(position[0], NOT_A_TOKEN);
      }
    }

    private static void check(CancellationFlag flag) {
      if (flag.isCancelled()) {
        throw new ComputationCancelledException("cancelled");
      }
    }

    private void put(int position, int token) {
      while (tokens.size() > position) {
        tokens.removeLast();
        nAnswered = 0;
      }
      tokens.add(token);
    }

    /** Goes on with the answer if the last token was its next one, else begins an answer. */
    private void read(boolean maybeAnswering) {
      if (maybeAnswering
          && nAnswered <= answer.length
          && tokens.getLast() == answer[nAnswered - 1]) {
        nAnswered++;
        return;
      }
      answer = vocab().tokenize(script.apply(text()), true);
      nAnswered = 1;
    }

    private String text() {
      StringBuilder text = new StringBuilder();
      List<Integer> run = new ArrayList<>();
      for (int token : tokens) {
        if (token != NOT_A_TOKEN) {
          run.add(token);
          continue;
        }
        flush(run, text);
        if (!text.toString().endsWith(IMAGE)) {
          text.append(IMAGE);
        }
      }
      flush(run, text);
      return text.toString();
    }

    private void flush(List<Integer> run, StringBuilder text) {
      if (!run.isEmpty()) {
        int[] ids = run.stream().mapToInt(Integer::intValue).toArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
          bytes.writeBytes(vocab().piece(id, true));
        }
        text.append(bytes.toString(StandardCharsets.UTF_8));
        run.clear();
      }
    }

    @Override
    public float[] logits(int i) {
      nGenerated.incrementAndGet();
      float[] logits = new float[vocab().nTokens()];
      int next = nAnswered <= answer.length ? answer[nAnswered - 1] : vocab().eos();
      logits[next] = 100;
      return logits;
    }

    @Override
    public boolean removeFrom(int position) {
      while (tokens.size() > position) {
        tokens.removeLast();
      }
      nAnswered = 0;
      return true;
    }

    @Override
    public boolean hasPositionsBefore(int position) {
      return true;
    }

    @Override
    public boolean isClosed() {
      return closed;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
