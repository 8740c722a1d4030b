package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * Keeps the sign of -0.0, which a {@link java.math.BigDecimal} cannot hold. Jackson makes a double
 * of what is not finite where it else makes a decimal number, so this zero says that it is none.
 */
final class SignedZeros extends JsonParserDelegate {
  private static final Pattern NEGATIVE_ZERO = Pattern.compile("-[0.]+([eE].*)?");

  SignedZeros(JsonParser parser) {
    super(parser);
  }

  @Override
  public boolean isNaN() throws IOException {
    // read as text: a number that was once read as a decimal stays one
    return super.isNaN()
        || (currentToken() == JsonToken.VALUE_NUMBER_FLOAT
            && NEGATIVE_ZERO.matcher(getText()).matches());
  }
}
