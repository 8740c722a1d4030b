package dev.ocellus.testkit;

import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Models whose answers are known: the embedded one with its image encoder and a script. */
public final class ScriptedModels {
  private static final int CONTEXT = 8192;

  /** ChatML, with tools in the notation that most models of today were taught. */
  private static final String TEMPLATE =
      """
      {%- if tools %}<|im_start|>system
      {%- if messages[0].role == 'system' %}{{ '\\n' + messages[0].content }}{% endif %}
      # Tools
      <tools>{% for tool in tools %}
      {{ tool | tojson }}{% endfor %}
      </tools>
      For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
      <tool_call>
      {"name": <function-name>, "arguments": <args-json-object>}
      </tool_call><|im_end|>
      {% endif %}
      {%- for message in messages %}
      {%- if message.role == 'tool' %}<|im_start|>user
      <tool_response>
      {{ message.content }}
      </tool_response><|im_end|>
      {% elif not (tools and message.role == 'system' and loop.first) %}<|im_start|>{{ message.role }}
      {% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}
      {%- for call in message.tool_calls or [] %}
      <tool_call>
      {"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
      </tool_call>{% endfor %}<|im_end|>
      {% endif %}
      {%- endfor %}
      {%- if add_generation_prompt %}<|im_start|>assistant
      {% endif %}\
      """;

  private ScriptedModels() {}

  /** A model that answers as a script says. */
  public static VisionLanguageModel scripted(Function<String, String> script) {
    return scripted(script, new AtomicInteger());
  }

  /**
   * A model that answers as a script says.
   *
   * @param script the answer to a prompt, in which {@link ScriptedDecoder#IMAGE} stands for an
   *     image
   * @param nGenerated counts the tokens of its answers
   */
  public static VisionLanguageModel scripted(
      Function<String, String> script, AtomicInteger nGenerated) {
    try {
      LoadOptions demo = DemoModel.files();
      return VisionLanguageModel.of(
          Pipeline.open(
              demo.withChatTemplate(TEMPLATE)
                  .withContextOptions(demo.contextOptions().withContext(CONTEXT)),
              options ->
                  new ScriptedDecoder(
                      new LlamaDecoder(LlamaModel.load(options.model(), options.modelOptions())),
                      script,
                      nGenerated)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
