package dev.ocellus.accel;

/**
 * Numbers of F16 that are added to the scores of heads: for each query a row with one for each key,
 * minus infinity for those that it does not attend to.
 *
 * @param address of the first row
 * @param row bytes from the row of a query to that of the next
 * @param step2 bytes from head to head
 * @param step3 bytes from item to item
 * @param n2 heads that have rows of their own; others take them again, from the first on
 * @param n3 items likewise
 */
public record ScoreMask(long address, long row, long step2, long step3, int n2, int n3) {
  /** Matrices of rows that differ. */
  int count() {
    return n2 * n3;
  }

  /** The number of an item's head's matrix. */
  int matrix(int i2, int i3) {
    return i3 % n3 * n2 + i2 % n2;
  }

  /** The address of a query's row in a matrix. */
  long at(int matrix, int query) {
    return address + matrix / n2 * step3 + matrix % n2 * step2 + query * row;
  }
}
