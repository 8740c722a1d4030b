package dev.ocellus.vlm.tool;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How a model writes reasoning and calls into its answer.
 *
 * @param tags what stands around them
 * @param leadingJson whether an answer that begins with a brace is a call
 * @param notation how calls are written between their markers
 */
public record AnswerFormat(List<Tag> tags, boolean leadingJson, CallNotation notation) {
  public AnswerFormat {
    tags = List.copyOf(tags);
  }

  /** What is between two markers. */
  public enum Kind {
    REASONING,
    CALLS,
    /** Plain text; the markers are left out. */
    TEXT,
    /** Says what follows it: its end begins the body that it announces. */
    HEADER
  }

  /**
   * Two markers and what is between them.
   *
   * @param close empty where it goes on to the end of the answer
   */
  public record Tag(Kind kind, String open, String close) {}

  /** Nothing but text. */
  public static final AnswerFormat PLAIN = new AnswerFormat(List.of(), false, CallNotation.OTHER);

  private static final String THINK = "<think>";

  /** Markers in the order in which a template is searched for them; the first calls win. */
  private static final List<Tag> REASONING =
      List.of(
          new Tag(Kind.REASONING, THINK, "</think>"),
          new Tag(Kind.REASONING, "[THINK]", "[/THINK]"),
          new Tag(Kind.REASONING, "<seed:think>", "</seed:think>"),
          new Tag(Kind.REASONING, "<mm:think>", "</mm:think>"),
          new Tag(Kind.REASONING, "<|START_THINKING|>", "<|END_THINKING|>"),
          new Tag(Kind.REASONING, "<|inner_prefix|>", "<|inner_suffix|>"),
          new Tag(Kind.REASONING, "<|channel>thought", "<channel|>"));

  private static final List<Tag> CALLS =
      List.of(
          new Tag(Kind.CALLS, "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
          new Tag(Kind.CALLS, "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
          new Tag(Kind.CALLS, "[TOOL_CALLS]", ""),
          new Tag(Kind.CALLS, "<|START_ACTION|>", "<|END_ACTION|>"),
          new Tag(Kind.CALLS, "<|tool_call_start|>", "<|tool_call_end|>"),
          new Tag(Kind.CALLS, "<|tools_prefix|>", "<|tools_suffix|>"),
          new Tag(Kind.CALLS, "<|tool_call>", "<tool_call|>"),
          new Tag(Kind.CALLS, "<minimax:tool_call>", "</minimax:tool_call>"),
          new Tag(Kind.CALLS, "<seed:tool_call>", "</seed:tool_call>"),
          new Tag(Kind.CALLS, "<TOOLCALL>", "</TOOLCALL>"),
          new Tag(Kind.CALLS, "<tool_calls>", "</tool_calls>"),
          new Tag(Kind.CALLS, "<tool_call>", "</tool_call>"),
          new Tag(Kind.CALLS, "<|tool_call|>", ""),
          new Tag(Kind.CALLS, "<|function_call|>", ""),
          new Tag(Kind.CALLS, "<function=", "</function>"),
          new Tag(Kind.CALLS, "functools", ""));

  /** Finds out what a chat template's model writes. */
  public static AnswerFormat of(String template) {
    Predicate<String> has = template::contains;
    if (has.test("<|channel|>") && has.test("<|message|>")) {
      return channels();
    }
    if (has.test(">>>all")) {
      return new AnswerFormat(
          List.of(new Tag(Kind.HEADER, ">>>", "\n")), false, CallNotation.NAME_LINE);
    }
    List<Tag> tags = new ArrayList<>();
    REASONING.stream().filter(tag -> has.test(tag.open)).forEach(tags::add);
    if (has.test("<think{}>") && has.test("</think{}>")) {
      tags.clear(); // its markers are made at run time
    }
    if (has.test("<|START_RESPONSE|>") || has.test("<|START_TEXT|>")) {
      tags.add(new Tag(Kind.TEXT, "<|START_RESPONSE|>", "<|END_RESPONSE|>"));
      tags.add(new Tag(Kind.TEXT, "<|START_TEXT|>", "<|END_TEXT|>"));
    }
    boolean leadingJson = false;
    if (has.test("｜DSML｜")) {
      String name = has.test("'function_calls>") ? "function_calls>" : "tool_calls>";
      tags.add(new Tag(Kind.CALLS, "<｜DSML｜" + name, "</｜DSML｜" + name));
    } else if (has.test("Action:") && has.test("```json")) {
      tags.add(new Tag(Kind.CALLS, "Action:", ""));
    } else if (has.test("\"name\": function name") || has.test("<|python_tag|>")) {
      tags.add(new Tag(Kind.CALLS, "<|python_tag|>", ""));
      leadingJson = true;
    } else {
      CALLS.stream().filter(tag -> has.test(tag.open)).findFirst().ifPresent(tags::add);
    }
    CallNotation notation =
        tags.stream()
            .filter(tag -> tag.kind == Kind.CALLS)
            .map(tag -> CallNotation.of(tag.open, has))
            .findFirst()
            .orElse(CallNotation.OTHER);
    return new AnswerFormat(tags, leadingJson, notation);
  }

  /** The harmony format: each message says in front which channel or tool it is for. */
  private static AnswerFormat channels() {
    return new AnswerFormat(
        List.of(
            new Tag(Kind.HEADER, "<|channel|>", "<|message|>"),
            new Tag(Kind.HEADER, "<|start|>", "<|message|>"),
            new Tag(Kind.TEXT, "<|end|>", "<|return|>"),
            new Tag(Kind.TEXT, "<|call|>", "<|constrain|>")),
        false,
        CallNotation.CHANNELS);
  }

  /** The same without calls, for answers to questions that offer no tools. */
  public AnswerFormat withoutCalls() {
    List<Tag> rest = tags.stream().filter(tag -> tag.kind != Kind.CALLS).toList();
    return new AnswerFormat(rest, false, CallNotation.OTHER);
  }

  /** All markers, some of which may be control tokens. */
  public List<String> markers() {
    List<String> markers = new ArrayList<>();
    for (Tag tag : tags) {
      markers.add(tag.open);
      if (!tag.close.isEmpty()) {
        markers.add(tag.close);
      }
    }
    return markers;
  }

  /** Markers inside of calls, some of which may be control tokens. */
  public boolean isMarker(String controlToken) {
    return !controlToken.isEmpty()
        && (markers().stream().anyMatch(m -> m.contains(controlToken))
            || (tags.stream().anyMatch(t -> t.kind == Kind.CALLS)
                && ToolCallParser.isMarker(controlToken)));
  }

  /**
   * What the end of a prompt opens so that the answer begins inside of it: reasoning, or a header
   * such as {@code >>>}; null if there is nothing of that kind.
   */
  public @Nullable Tag openIn(String promptEnd) {
    Tag found = null;
    int last = -1;
    for (Tag tag : tags) {
      boolean opens = tag.kind == Kind.REASONING || tag.kind == Kind.HEADER;
      int open = opens ? promptEnd.lastIndexOf(tag.open) : -1;
      if (open > last && promptEnd.indexOf(tag.close, open) < 0) {
        found = tag;
        last = open;
      }
    }
    return found;
  }
}
