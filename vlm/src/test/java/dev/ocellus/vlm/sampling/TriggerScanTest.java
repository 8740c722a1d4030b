package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TriggerScanTest {
  private final TriggerScan scan =
      new TriggerScan(List.of(Pattern.compile("<call>"), Pattern.compile("answer:\\s*(\\{)")));

  private void add(String text) {
    scan.add(text.getBytes(StandardCharsets.UTF_8));
  }

  private int find(String text) {
    return scan.find(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What was read before a place where no match can begin any more is not read again. */
  @Test
  void looksOnlyAtWhatAMatchMayReachBackTo() {
    for (int i = 0; i < 5000; i++) {
      add("text ");
    }
    assertThat(scan.lookedAtAgain()).isZero();
    add("an");
    assertThat(scan.lookedAtAgain()).isEqualTo(2);
    add("swer:   ");
    assertThat(scan.lookedAtAgain()).isEqualTo(10);
    assertThat(find("{")).isEqualTo(25_010);
    add("x <ca");
    assertThat(scan.lookedAtAgain()).isEqualTo(3);
    assertThat(find("ll>")).isEqualTo(25_012);
  }
}
