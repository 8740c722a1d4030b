package dev.ocellus.vlm.tool;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.tool.AnswerFormat.Kind;
import dev.ocellus.vlm.tool.AnswerFormat.Tag;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes an answer apart while it arrives: text, reasoning, calls. How the answer is cut into chunks
 * makes no difference to what comes out.
 *
 * <p>Nothing is lost: a call that is not finished or cannot be read is passed on as text, with its
 * markers. White space next to markers is left out.
 */
public final class AnswerSplitter {
  private final AnswerFormat format;
  private final ToolCallParser parser;
  private final Consumer<AnswerPart> out;

  private Kind mode = Kind.TEXT;

  /** The tag that is open, if one is. */
  private @Nullable Tag open;

  /** What ends a body that a header announced; empty outside. */
  private boolean inBody;

  /** The name of the tool that a header announced; empty if it announced none. */
  private String calledByHeader = "";

  /** Text that may be the beginning of a marker. */
  private final StringBuilder pending = new StringBuilder();

  /** White space that counts only if more of the same follows. */
  private final StringBuilder space = new StringBuilder();

  /** A block of calls or a header so far, and all that was left out in front of it. */
  private final StringBuilder block = new StringBuilder();

  private String beforeBlock = "";

  /** Where in a block the first marker stands that is a part of a value; −1 if there is none. */
  private int insideAt = -1;

  private boolean atStart = true;
  private boolean skipSpace;

  /**
   * @param promptEnd what the chat template wrote behind the last message: it may have opened
   *     reasoning
   * @param tools those that were offered: they tell which arguments are text
   */
  public AnswerSplitter(
      AnswerFormat format, String promptEnd, List<Tool> tools, Consumer<AnswerPart> out) {
    this.format = format;
    this.parser = new ToolCallParser(tools);
    this.out = out;
    Tag opened = format.openIn(promptEnd);
    if (opened != null && opened.kind() == Kind.REASONING) {
      enter(Kind.REASONING, opened);
      atStart = false;
    } else if (opened != null) {
      enter(Kind.HEADER, new Tag(Kind.HEADER, "", opened.close()));
      atStart = false;
    }
  }

  /** Whether what comes next is reasoning, as far as is known. */
  public boolean isReasoning() {
    return mode == Kind.REASONING;
  }

  /** Adds a chunk of the answer. */
  public void accept(String chunk) {
    pending.append(chunk);
    scan(false);
  }

  /** Ends the answer. */
  public void finish() {
    scan(true);
    while (mode == Kind.CALLS) {
      endCalls("", false);
      scan(true); // what was taken for a part of a call that never ended
    }
    switch (mode) {
      case HEADER -> {
        space.append(beforeBlock);
        text(block.toString());
      }
      case TEXT, REASONING, CALLS -> {}
    }
    if (!space.isEmpty()) {
      emit(space.toString());
      space.setLength(0);
    }
  }

  private void scan(boolean last) {
    while (!pending.isEmpty()) {
      if (atStart && !leadingJson(last)) {
        return;
      }
      List<String> markers = markers();
      int at = 0;
      String found = null;
      boolean wait = false;
      for (; at < pending.length() && found == null && !wait; at++) {
        for (String marker : markers) {
          int same = common(marker, at);
          if (same == marker.length()) {
            found = found == null || marker.length() > found.length() ? marker : found;
          } else if (at + same == pending.length() && !last) {
            wait = true;
          }
        }
      }
      int upTo = found != null || wait ? at - 1 : at;
      pass(pending.substring(0, upTo));
      if (wait) {
        pending.delete(0, upTo);
        return;
      }
      pending.delete(0, upTo + (found == null ? 0 : found.length()));
      if (found != null) {
        atStart = false;
        meet(found);
      }
    }
  }

  private int common(String marker, int at) {
    int n = Math.min(marker.length(), pending.length() - at);
    int i = 0;
    while (i < n && pending.charAt(at + i) == marker.charAt(i)) {
      i++;
    }
    return i;
  }

  /** Decides whether the answer is a call as a whole; false if that is not known yet. */
  private boolean leadingJson(boolean last) {
    if (!format.leadingJson()) {
      atStart = false;
      return true;
    }
    int i = 0;
    while (i < pending.length() && Character.isWhitespace(pending.charAt(i))) {
      i++;
    }
    if (i == pending.length() && !last) {
      return false;
    }
    atStart = false;
    if (i < pending.length() && pending.charAt(i) == '{') {
      enter(Kind.CALLS, new Tag(Kind.CALLS, "", ""));
    }
    return true;
  }

  /** The markers that mean something now. */
  private List<String> markers() {
    List<String> markers = new ArrayList<>();
    Tag now = open;
    if (now != null && mode != Kind.TEXT && !inBody) {
      if (!now.close().isEmpty()) {
        markers.add(now.close());
      }
      return markers;
    }
    for (Tag tag : format.tags()) {
      markers.add(tag.open());
      if (tag.kind() == Kind.TEXT) {
        markers.add(tag.close());
      }
    }
    return markers;
  }

  private void meet(String marker) {
    if (mode == Kind.HEADER) {
      readHeader();
      return;
    }
    if (mode == Kind.CALLS) {
      boolean closes = open != null && !inBody && open.close().equals(marker);
      if (!endCalls(marker, closes) || closes) {
        return;
      }
    }
    Tag tag = null;
    for (Tag candidate : format.tags()) {
      tag = tag == null && candidate.open().equals(marker) ? candidate : tag;
    }
    if (tag == null || tag.kind() == Kind.TEXT) {
      enter(Kind.TEXT, null);
      return;
    }
    enter(tag.kind(), tag);
  }

  private void enter(Kind kind, @Nullable Tag tag) {
    beforeBlock = kind == Kind.CALLS || kind == Kind.HEADER ? space.toString() : "";
    space.setLength(0);
    block.setLength(0);
    mode = kind;
    open = tag;
    inBody = false;
    insideAt = -1;
    calledByHeader = "";
    skipSpace = kind == Kind.TEXT || kind == Kind.REASONING;
  }

  /** The header says for whom its body is: a channel, or a tool. */
  private void readHeader() {
    String header = block.toString().strip();
    Tag tag = open;
    boolean recipients = tag != null && tag.close().equals("\n");
    int to = header.indexOf("to=");
    String tool = "";
    if (recipients) {
      tool = header.equals("all") ? "" : header;
    } else if (to >= 0) {
      String word = header.substring(to + 3).split("[\\s<]", 2)[0];
      tool = word.startsWith("functions.") ? word.substring("functions.".length()) : "";
    }
    if (tool.isEmpty()) {
      enter(header.contains("analysis") && !recipients ? Kind.REASONING : Kind.TEXT, tag);
    } else {
      String before = beforeBlock + (tag == null ? "" : tag.open() + block + tag.close());
      enter(Kind.CALLS, tag);
      beforeBlock = before;
      calledByHeader = tool;
    }
    inBody = true;
  }

  /**
   * Ends a block of calls at a marker, unless that is a part of a value.
   *
   * @param marker empty at the end of the answer
   * @param closes whether the marker belongs to the block
   * @return whether the marker has been dealt with and begins what follows the block
   */
  private boolean endCalls(String marker, boolean closes) {
    List<ToolCall> calls = parse();
    if (parser.endsInside() && !marker.isEmpty()) {
      insideAt = insideAt < 0 ? block.length() : insideAt;
      block.append(marker);
      return false;
    }
    String close = closes ? marker : "";
    boolean ended = true;
    if (insideAt >= 0 && (calls.isEmpty() || parser.endsInside())) {
      // the value never ended: the first marker in it was the end of the block after all
      pending.insert(0, block.substring(insideAt) + marker);
      block.setLength(insideAt);
      close = "";
      calls = parse();
      ended = false;
    }
    String before = beforeBlock;
    String whole = (calledByHeader.isEmpty() ? openText() : "") + block + close;
    enter(Kind.TEXT, null);
    if (calls.isEmpty()) {
      skipSpace = false;
      text(before + whole);
    } else {
      calls.forEach(call -> out.accept(new AnswerPart.Call(call)));
    }
    return ended;
  }

  private List<ToolCall> parse() {
    return calledByHeader.isEmpty()
        ? parser.parse(openText() + block, openText())
        : parser.parseArguments(calledByHeader, block.toString());
  }

  private String openText() {
    return open == null ? "" : open.open();
  }

  /** Adds what holds no marker. */
  private void pass(String piece) {
    switch (mode) {
      case CALLS, HEADER -> block.append(piece);
      case TEXT, REASONING -> text(piece);
    }
  }

  private void text(String piece) {
    int start = 0;
    if (skipSpace) {
      while (start < piece.length() && Character.isWhitespace(piece.charAt(start))) {
        start++;
      }
      if (start == piece.length()) {
        return;
      }
      skipSpace = false;
    }
    int end = piece.length();
    while (end > start && Character.isWhitespace(piece.charAt(end - 1))) {
      end--;
    }
    if (end > start) {
      emit(space + piece.substring(start, end));
      space.setLength(0);
    }
    space.append(piece, end, piece.length());
  }

  private void emit(String piece) {
    out.accept(
        mode == Kind.REASONING ? new AnswerPart.Reasoning(piece) : new AnswerPart.Text(piece));
  }
}
