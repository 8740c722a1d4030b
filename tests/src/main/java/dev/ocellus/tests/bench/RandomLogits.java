package dev.ocellus.tests.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;

/** Logits to choose tokens by: normally distributed, native, as a model leaves them. */
final class RandomLogits {
  private static final double DEVIATION = 3;

  /** More than any other logit has, so that a token with it is chosen. */
  private static final float WANTED = 40;

  private final SplittableRandom random = new SplittableRandom(1);
  private final int nVocab;

  RandomLogits(int nVocab) {
    this.nVocab = nVocab;
  }

  FloatBuffer next() {
    FloatBuffer logits =
        ByteBuffer.allocateDirect(4 * nVocab).order(ByteOrder.nativeOrder()).asFloatBuffer();
    for (int t = 0; t < nVocab; t++) {
      double gauss =
          Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
              * Math.cos(2 * Math.PI * random.nextDouble());
      logits.put(t, (float) (DEVIATION * gauss));
    }
    return logits;
  }

  FloatBuffer[] next(int count) {
    FloatBuffer[] all = new FloatBuffer[count];
    for (int i = 0; i < count; i++) {
      all[i] = next();
    }
    return all;
  }

  /** Logits of a model that wants to write these tokens, one after the other. */
  FloatBuffer[] wanting(int[] tokens) {
    FloatBuffer[] all = next(tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      all[i].put(tokens[i], WANTED);
    }
    return all;
  }
}
