package dev.ocellus.vlm.python;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.IOContext;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.util.Set;

/**
 * Makes parsers of JSON as Python's {@code json} module reads it: with {@code NaN}, {@code
 * Infinity} and {@code -Infinity}, and without the other spellings ({@code +INF}) that Jackson
 * takes once it takes these.
 */
@SuppressWarnings("serial") // never serialized
public final class PythonJsonFactory extends JsonFactory {
  private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");

  /**
   * @param limits what a text may ask of the parser
   */
  public PythonJsonFactory(StreamReadConstraints.Builder limits) {
    super(
        (JsonFactoryBuilder)
            JsonFactory.builder()
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                .streamReadConstraints(limits.build()));
  }

  @Override
  protected JsonParser _createParser(InputStream in, IOContext context) throws IOException {
    return new Numbers(super._createParser(in, context));
  }

  @Override
  protected JsonParser _createParser(Reader in, IOContext context) throws IOException {
    return new Numbers(super._createParser(in, context));
  }

  @Override
  protected JsonParser _createParser(
      char[] text, int offset, int length, IOContext context, boolean recyclable)
      throws IOException {
    return new Numbers(super._createParser(text, offset, length, context, recyclable));
  }

  @Override
  protected JsonParser _createParser(byte[] text, int offset, int length, IOContext context)
      throws IOException {
    return new Numbers(super._createParser(text, offset, length, context));
  }

  private static final class Numbers extends JsonParserDelegate {
    Numbers(JsonParser parser) {
      super(parser);
    }

    @Override
    public JsonToken nextToken() throws IOException {
      JsonToken token = super.nextToken();
      if (token == JsonToken.VALUE_NUMBER_FLOAT
          && super.isNaN()
          && !NOT_FINITE.contains(getText())) {
        throw new JsonParseException(
            this,
            "Unexpected '%s': numbers that are not finite are written NaN, Infinity or -Infinity"
                .formatted(getText()),
            currentTokenLocation());
      }
      return token;
    }
  }
}
