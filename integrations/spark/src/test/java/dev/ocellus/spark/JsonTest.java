package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'number'}}}|struct<a:bigint,b:double>",
        "{'properties':{'a':{'enum':['x','y']}}}|struct<a:string>",
        "{'type':'array','items':{'type':'boolean'}}|array<boolean>",
        "{'type':'object','additionalProperties':{'type':'integer'}}|map<string,bigint>",
        "{'type':['integer','null']}|bigint",
        "{'anyOf':[{'type':'null'},{'type':'number'}]}|double",
        "{'anyOf':[{'type':'string'},{'type':'number'}]}|string",
        "{'const':3}|bigint",
        "{'enum':[1,'a']}|string",
        "{'$ref':'#/$defs/n','$defs':{'n':{'type':'integer'}}}|bigint",
        "{'$ref':'#'}|string",
        "{'json_schema':{'name':'x','schema':{'type':'integer'}}}|bigint",
        "{}|string",
      })
  void hasATypeOfSpark(String schema, String type) {
    assertThat(JsonTypes.of(schema.replace('\'', '"')).simpleString()).isEqualTo(type);
  }

  @Test
  void readsWhatTheTypeSays() throws Exception {
    DataType type =
        JsonTypes.of(
            """
            {"properties": {"n": {"type": "integer"}, "x": {"type": "number"},
             "list": {"type": "array", "items": {"type": "string"}}, "any": {}}}\
            """);
    Row row =
        (Row)
            JsonValues.read("{\"x\": 3, \"n\": 2.0, \"list\": [\"a\", null], \"any\": [1]}", type);
    assertThat(row).isNotNull();
    assertThat(row.get(0)).isEqualTo(2L);
    assertThat(row.get(1)).isEqualTo(3.0);
    assertThat((Object[]) row.get(2)).containsExactly("a", null);
    assertThat(row.get(3)).isEqualTo("[1]");
    assertThat(JsonValues.read("null", type)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "99999999999999999999,is no bigint",
    "1.5,is no bigint",
    "{,is no JSON",
    "1 2,is no JSON"
  })
  void refusesWhatTheTypeCannotHold(String json, String message) {
    assertThatThrownBy(() -> JsonValues.read(json, JsonTypes.of("{\"type\": \"integer\"}")))
        .isInstanceOf(RowFailure.Thrown.class)
        .satisfies(e -> {
          RowFailure failure = RowFailure.of(e);
          assertThat(failure).isNotNull();
          assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_JSON);
          assertThat(failure.message()).contains(message);
        });
  }
}
