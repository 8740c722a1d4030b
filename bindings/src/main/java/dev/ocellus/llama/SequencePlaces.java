package dev.ocellus.llama;

import java.util.Arrays;

/**
 * What stands in the places of a sequence: one token, or one row of an image, in each. Tells {@link
 * LlamaContext#readState} what keys and values have to be there.
 */
public final class SequencePlaces {
  /** For rows of images, which have no token. */
  public static final int NO_TOKEN = -1;

  /** Places of one position are told apart by the other axes and the token. */
  record Place(int position, int line, int column, int token) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int order = Integer.compare(position, other.position);
      order = order != 0 ? order : Integer.compare(line, other.line);
      order = order != 0 ? order : Integer.compare(column, other.column);
      return order != 0 ? order : Integer.compare(token, other.token);
    }
  }

  private Place[] places = new Place[256];
  private int size;

  /** Adds a token of text. */
  public SequencePlaces addToken(int token, int position) {
    return add(new Place(position, position, position, token));
  }

  /**
   * Adds a row of an image.
   *
   * @param axes its position as it was decoded: one number, or time, line and column
   */
  public SequencePlaces addRow(int... axes) {
    int line = axes.length > 1 ? axes[1] : axes[0];
    int column = axes.length > 2 ? axes[2] : axes[0];
    return add(new Place(axes[0], line, column, NO_TOKEN));
  }

  private SequencePlaces add(Place place) {
    if (size == places.length) {
      places = Arrays.copyOf(places, 2 * size);
    }
    places[size++] = place;
    return this;
  }

  /** Position of the last one that was added; at least one was. */
  int lastPosition() {
    return places[size - 1].position;
  }

  /** Number of places. */
  public int size() {
    return size;
  }

  /** All places in the order of their positions. */
  Place[] sorted(boolean withAxes) {
    Place[] copy = Arrays.copyOf(places, size);
    if (!withAxes) {
      Arrays.setAll(copy, i -> new Place(copy[i].position, 0, 0, 0));
    }
    Arrays.sort(copy);
    return copy;
  }
}
