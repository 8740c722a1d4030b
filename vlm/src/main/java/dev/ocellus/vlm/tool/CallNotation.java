package dev.ocellus.vlm.tool;

import java.util.function.Predicate;

/** How a model writes a call between the markers of calls. */
public enum CallNotation {
  /** One that is not known, or that has no grammar. */
  OTHER,
  /** {@code {"name": "f", "arguments": {…}}}, one or several, also as a list. */
  JSON,
  /** The same with {@code tool_name} and {@code parameters}. */
  JSON_TOOL_NAME,
  /** {@code [{"f": {…}}]}. */
  JSON_NAME_AS_KEY,
  /** {@code <function=f>{…}</function>}, of which the beginning is the marker. */
  FUNCTION_JSON,
  /** {@code <function=f><parameter=a>…</parameter></function>}. */
  FUNCTION_TAGS,
  /** {@code f<arg_key>a</arg_key><arg_value>…</arg_value>}. */
  KEYS_AND_VALUES,
  /** {@code <invoke name="f"><parameter name="a">…</parameter></invoke>}. */
  INVOKE,
  /** The same with {@code ｜DSML｜}, and whether a value is text. */
  INVOKE_DSML,
  /** {@code f[ARGS]{…}}. */
  BRACKETS,
  /** {@code <｜tool▁call▁begin｜>f<｜tool▁sep｜>{…}<｜tool▁call▁end｜>}. */
  DEEPSEEK,
  /** {@code <|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{…}<|tool_call_end|>}. */
  KIMI,
  /** A line with the name, then {@code {…}}. */
  NAME_LINE,
  /** {@code to=functions.f} in the header of a message that is {@code {…}}. */
  CHANNELS,
  /** {@code [f(a="x")]}. */
  PYTHON,
  /** {@code call:f{a:<|"|>x<|"|>}}. */
  GEMMA;

  /** The notation of a template that marks calls in some way. */
  static CallNotation of(String open, Predicate<String> template) {
    return switch (open) {
      case "<|tool_calls_section_begin|>" -> KIMI;
      case "<｜tool▁calls▁begin｜>" -> DEEPSEEK;
      case "[TOOL_CALLS]" -> template.test("[ARGS]") ? BRACKETS : JSON;
      case "<|START_ACTION|>" -> JSON_TOOL_NAME;
      case "<|tool_call_start|>" -> PYTHON;
      case "<|tools_prefix|>" -> JSON_NAME_AS_KEY;
      case "<|tool_call>" -> GEMMA;
      case "<minimax:tool_call>" -> INVOKE;
      case "<seed:tool_call>" -> FUNCTION_TAGS;
      case "<function=" -> FUNCTION_JSON;
      case "<tool_call>" -> {
        if (template.test("]<]minimax[>[")) {
          yield OTHER;
        }
        yield template.test("<function=")
            ? FUNCTION_TAGS
            : template.test("<arg_key>") ? KEYS_AND_VALUES : JSON;
      }
      case "<TOOLCALL>", "<tool_calls>", "<|tool_call|>", "<|function_call|>", "<|python_tag|>" ->
          JSON;
      default -> open.startsWith("<｜DSML｜") ? INVOKE_DSML : OTHER;
    };
  }
}
