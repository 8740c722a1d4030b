package dev.ocellus.server.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.ModelHost;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.DemoModel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeepAliveTest {
  private ModelHost host;
  private HostedModel model;

  @BeforeEach
  void load() throws Exception {
    var source = ModelSource.chat("a", DemoModel.files());
    host =
        new ModelHost(
            List.of(source), HostingOptions.defaults().withMaxIdle(Duration.ofMinutes(3)));
    model = host.find("a");
    host.chat(model).close();
  }

  @AfterEach
  void close() {
    host.close();
  }

  private KeepAlive keep(String value) {
    byte[] body = ("{\"keep_alive\": " + value + "}").getBytes(StandardCharsets.UTF_8);
    return new KeepAlive(host, model, Params.of(body));
  }

  /** What is left while the model is in use is what was said. */
  private Duration kept(String value) {
    try (var lease = host.chat(model)) {
      keep(value).apply();
      return host.timeLeft(lease.model());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "300, PT5M",
    "1.5, PT1.5S",
    "'\"5m\"', PT5M",
    "'\"1h30m\"', PT1H30M",
    "'\"+1.5h\"', PT1H30M",
    "'\"300ms\"', PT0.3S",
    "'\".5s\"', PT0.5S",
    "'\"1us\"', PT0.000001S",
    "'\"24h\"', PT24H",
    "null, PT3M"
  })
  void readsDurations(String value, Duration time) {
    assertThat(kept(value)).isEqualTo(time);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "-0.5", "\"-1\"", "\"-1s\"", "\"-5m\"", "1e300"})
  void negativeIsForEver(String value) {
    if (value.equals("\"-1\"")) { // as Go reads durations, a number needs a unit
      assertThatThrownBy(() -> keep(value)).isInstanceOf(ApiException.class);
    } else {
      assertThat(kept(value)).isEqualTo(ModelHost.FOR_EVER);
      host.unloadUnused();
      assertThat(host.state(model)).isEqualTo(HostedModel.State.LOADED);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0.0", "\"0\"", "\"0s\"", "\"0m\"", "\"-0\""})
  void zeroIsOverWithTheRequest(String value) {
    var keep = keep(value);
    assertThat(keep.isOver()).isTrue();
    try (var lease = host.chat(model)) {
      keep.apply();
      keep.end();
      assertThat(host.state(lease.model())).isEqualTo(HostedModel.State.LOADED);
    }
    keep.end();
    assertThat(host.state(model)).isEqualTo(HostedModel.State.UNLOADED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"\"",
        "\"5\"",
        "\"m\"",
        "\"5 m\"",
        "\"1d\"",
        "\"5m3\"",
        "true",
        "NaN",
        "\"--1s\""
      })
  void refusesWhatIsNoDuration(String value) {
    assertThatThrownBy(() -> keep(value))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("keep_alive");
  }

  @Test
  void unloadsWhenTheTimeIsOverAndForgetsItThen() throws Exception {
    keep("1e-9").apply();
    while (host.timeLeft(model).isPositive()) {
      Thread.onSpinWait();
    }
    host.unloadUnused();
    assertThat(host.state(model)).isEqualTo(HostedModel.State.UNLOADED);
    host.chat(model).close();
    assertThat(host.timeLeft(model)).isGreaterThan(Duration.ofMinutes(1));
  }
}
