package dev.ocellus.langchain4j;

import dev.ocellus.OcellusException;
import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.vlm.VisionLanguageModel;

/** The models that LangChain4j's kit asks; they stay open for all of its classes. */
final class KitModels {
  static final String NAME = "scripted";

  private static final VisionLanguageModel SCRIPTED = ScriptedModels.scripted(KitScript::answer);
  private static final VisionLanguageModel FAILING =
      ScriptedModels.scripted(prompt -> {
        throw new OcellusException("the disk is on fire");
      });

  private KitModels() {}

  /** With a model that knows the kit's answers. */
  static <B extends ChatModelBuilder<B>> B knowing(B builder) {
    return builder.model(SCRIPTED).modelName(NAME).temperature(0.0);
  }

  /** With one that fails at every question. */
  static <B extends ChatModelBuilder<B>> B failing(B builder) {
    return builder.model(FAILING).modelName(NAME);
  }

  /** Parameters of the kit for these chat models. */
  static OcellusChatRequestParameters maxOutputTokens(int max) {
    return OcellusChatRequestParameters.builder().maxOutputTokens(max).build();
  }
}
