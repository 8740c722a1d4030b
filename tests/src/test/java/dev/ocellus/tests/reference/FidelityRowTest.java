package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FidelityRowTest {
  private static FidelityRow row(double cosine, double maxError, PeerResults.@Nullable Case peer) {
    return new FidelityRow("m", "c", 0, cosine, maxError, true, 12, 12, Optional.ofNullable(peer));
  }

  private static PeerResults.Run run(double cosine, double maxError) {
    return new PeerResults.Run(Optional.of(cosine), Optional.of(maxError), false, 3);
  }

  @Test
  void showsOursAndBothRunsOfThePeer() {
    var peer = new PeerResults.Case(run(0.64, 3.25), Optional.of(run(0.9999999, 0.0011)));
    assertThat(row(1, 2.1e-6, peer).markdown())
        .isEqualTo(
            "| m | c | 0 | 1 - 0e+00 | 2.1e-06 | equal | 12 of 12 | 0.640 | 3.3e+00 | differs | 3 of 12 | 1 - 1e-07, 1.1e-03, 3 of 12 |\n");
  }

  @Test
  void saysWhatCannotBeCompared() {
    var rows = new PeerResults.Run(Optional.empty(), Optional.empty(), false, 0);
    assertThat(row(1, 1e-6, new PeerResults.Case(rows, Optional.empty())).markdown())
        .endsWith("| other rows |  | differs | 0 of 12 | - |\n");
    assertThat(row(1, 1e-6, null).markdown()).endsWith("| not measured | | | | |\n");
  }

  @Test
  void hasAsManyCellsAsTheHeader() {
    var peer = new PeerResults.Case(run(0.64, 3.25), Optional.empty());
    long cells = cells(FidelityRow.HEADER.lines().findFirst().orElseThrow());
    assertThat(cells(row(1, 1e-6, peer).markdown())).isEqualTo(cells);
    assertThat(cells(row(1, 1e-6, null).markdown())).isEqualTo(cells);
  }

  private static long cells(String line) {
    return line.chars().filter(c -> c == '|').count();
  }

  @Test
  void isCloserOnlyIfBothNumbersOfBothRunsAreWorse() {
    var far = run(0.64, 3.25);
    var near = run(0.9999999, 1e-3);
    assertThat(row(1, 2e-6, new PeerResults.Case(far, Optional.of(near))).isCloserThanPeer())
        .isTrue();
    assertThat(row(1, 2e-3, new PeerResults.Case(far, Optional.of(near))).isCloserThanPeer())
        .isFalse();
    assertThat(row(0.5, 2e-3, new PeerResults.Case(far, Optional.empty())).isCloserThanPeer())
        .isFalse();
  }

  @Test
  void comparesTheGoldenModelWithTheReferenceAndMtmd() throws IOException {
    Reference reference = Reference.all().getFirst();
    String model = "llava-1.5";
    ReferenceCase c = reference.cases(model).getFirst();
    PeerResults peers = PeerResults.of(reference, model);
    assertThat(peers.find(c.name())).isPresent();
    assertThat(peers.find("no such case")).isEmpty();
    FidelityRow row = FidelityRow.of(reference, model, c, peers);
    assertThat(row.pixels()).isZero();
    assertThat(row.promptEqual()).isTrue();
    assertThat(row.sameTokens()).isEqualTo(12);
    assertThat(row.isCloserThanPeer()).isTrue();
    assertThat(FidelityPage.page("transformers 1.2", List.of(row), Set.of("other")))
        .contains("transformers 1.2", row.markdown(), "mtmd in every", ": yes", "other.");
  }
}
