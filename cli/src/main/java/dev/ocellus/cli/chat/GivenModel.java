package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import java.nio.file.Path;

/** Names in answers for programs the model that the user gave, not what a folder was made to. */
final class GivenModel {
  private GivenModel() {}

  /** The same answer. */
  static ObjectNode in(OcellusCommand command, ObjectNode answer) {
    if (answer.get("model") instanceof ObjectNode model) {
      for (String field : new String[] {"path", "mmproj"}) {
        if (model.hasNonNull(field)) {
          Path file = Path.of(model.get(field).textValue());
          model.put(field, command.given(file).toString());
        }
      }
    }
    return answer;
  }
}
