package dev.ocellus.tests.fuzz;

import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarMatcher;
import java.util.List;
import java.util.SplittableRandom;

/** Texts of small languages to start from, each with many features. */
final class FuzzTexts {
  static final List<String> TEMPLATES =
      List.of(
          """
          {% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\
          {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}\
          """,
          """
          {%- set ns = namespace(n=0, system='') -%}
          {%- for m in messages -%}
            {%- if m.role == 'system' -%}{%- set ns.system = m.content if m.content is string else m.content[0].text -%}{%- continue -%}{%- endif -%}
            <|im_start|>{{ m.role }}
            {%- if m.content is string %}{{ m.content | trim }}{% else %}
              {%- for part in m.content -%}
                {%- if part.type == 'image' or 'image' in part -%}{%- set ns.n = ns.n + 1 -%}<image>{%- elif part.type == 'text' -%}{{ part['text'] }}{%- else -%}{{ raise_exception('unknown part ' ~ part.type) }}{%- endif -%}
              {%- endfor -%}
            {%- endif -%}
            {%- if m.tool_calls is defined and m.tool_calls -%}
              {%- for c in m.tool_calls -%}<tool_call>{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}</tool_call>{%- endfor -%}
            {%- endif -%}<|im_end|>
          {% endfor -%}
          {{ ns.system }}{% if tools %}{{ tools | map(attribute='function') | list | tojson(indent=2) }}{% endif %}\
          """,
          """
          {% macro show(text, loud=false) %}{% if loud %}{{ text | upper }}{% else %}{{ text | replace('a', 'b') }}{% endif %}{% endmacro %}\
          {% for m in messages[::-1] | reverse %}{{ loop.index }}/{{ loop.length }}{{ show(m.role, loud=loop.last) }}{{ m.content | string | length }}\
          {{ m.content.split('<')[-1] if m.content is string else m.content | length }}{{ '%s-%d' | format(m.role, loop.index0) }}{% endfor %}\
          {{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ range(3) | join(', ') }}{{ (1, 2.5, -3 // 2, 2 ** 3, 7 % 4) | sum }}\
          """);

  static final List<String> CONVERSATIONS =
      List.of(
          """
          [{"role": "system", "content": "one <|im_end|>"}, {"role": "user", "content": "q"}, \
          {"role": "assistant", "content": "a <|im_start|>system"}, {"role": "user", "content": "r"}]\
          """,
          """
          {"messages": [{"role": "user", "content": [{"type": "text", "text": "what is <|image_pad|>"}, {"type": "image_url", "image_url": {"url": \
          "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}, \
          {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": "{\\"city\\": \\"Rome\\"}"}}]}, \
          {"role": "tool", "tool_call_id": "call00001", "name": "weather", "content": "<|im_end|>"}]}\
          """,
          """
          [{"role": "user", "content": "", "images": []}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.0, "b": [1e3, -0.0, 12345678901234567890]}}}]}, \
          {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "<|im_start|>"}]}]\
          """);

  static final List<String> GRAMMARS =
      List.of(
          """
          root ::= item ("," ws item)* # a list
          item ::= [a-z]+ | number | "\\"" [^"\\\\\\n]{0,5} "\\""
          number ::= "-"? ([0-9] | [1-9] [0-9]{1,15}) ("." [0-9]+)?
          ws ::= [ \\t\\n]*
          """,
          """
          root ::= ("a" | "b"+ | (("c" "d")? "e"){2,3}) end
          end ::= "\\u00e9" | [\\x41-\\x5A] | . "!"
          """);

  static final List<String> SCHEMAS =
      List.of(
          """
          {"type": "object", "properties": {"a": {"type": "string", "minLength": 2, "maxLength": 4}, "b": {"type": "integer", "minimum": -3, "maximum": 12}, \
          "c": {"enum": [1, "x", null, 2.5]}}, "required": ["a", "zz"], "additionalProperties": {"type": "boolean"}}\
          """,
          """
          {"$defs": {"tree": {"type": "object", "properties": {"v": {"type": "number", "exclusiveMinimum": 0.5}, "left": {"$ref": "#/$defs/tree"}}, "additionalProperties": false}}, \
          "anyOf": [{"$ref": "#/$defs/tree"}, {"type": "array", "prefixItems": [{"const": 1}, {"type": "string", "pattern": "^a[bc]{1,3}$"}], "items": false, "minItems": 1}]}\
          """,
          """
          {"name": "x", "strict": true, "schema": {"type": "array", "items": {"oneOf": [{"type": "string", "format": "date"}, {"type": "integer", "multipleOf": 1}]}, "uniqueItems": true, "maxItems": 3}}\
          """,
          """
          {"allOf": [{"type": ["object", "null"], "minProperties": 1, "maxProperties": 2}, {"properties": {"k": {"format": "ipv4"}}}], "unevaluatedProperties": false}\
          """);

  private static final int[] CHARACTERS =
      "{}[]\",:0123456789.-+eE \\nu/abcdefxyzABTZ@_é中😀truefalsenull!".codePoints().toArray();
  private static final int TRIES = 30;

  private FuzzTexts() {}

  /** A text that a grammar allows: by chance up to a length, then the shortest end. */
  static String allowedBy(Grammar grammar, SplittableRandom random, int length) {
    GrammarMatcher matcher = grammar.matcher();
    StringBuilder text = new StringBuilder();
    while (text.length() < length && !matcher.mustEnd()) {
      String next = null;
      for (int i = 0; i < TRIES && next == null; i++) {
        String candidate = Character.toString(CHARACTERS[random.nextInt(CHARACTERS.length)]);
        next = matcher.allows(candidate) ? candidate : null;
      }
      if (next == null) {
        break;
      }
      matcher.accept(next);
      text.append(next);
    }
    return text + matcher.shortestEnd();
  }
}
