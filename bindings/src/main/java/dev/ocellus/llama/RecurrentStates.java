package dev.ocellus.llama;

/**
 * Recurrent states of one sequence, which take the same room however long it is. All of them are
 * floats of 32 bits.
 *
 * @param nLayer blocks of the model, those that attend only included
 * @param nRecurrent blocks that have states
 * @param convolution floats of the last inputs of a block's convolution
 * @param space floats of a block's state space or linear attention; 0 for short convolutions
 */
record RecurrentStates(int nLayer, int nRecurrent, long convolution, long space) {
  /** Of a model all of whose blocks attend. */
  static final RecurrentStates NONE = new RecurrentStates(0, 0, 0, 0);

  /** Floats of all blocks. */
  long floats() {
    return nRecurrent * (convolution + space);
  }
}
