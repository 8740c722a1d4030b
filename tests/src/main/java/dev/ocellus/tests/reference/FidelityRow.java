package dev.ocellus.tests.reference;

import dev.ocellus.vlm.chat.Answer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * One line of the table in docs/fidelity.md.
 *
 * @param pixels largest difference of a preprocessed pixel, in units of the normalized values
 * @param promptEqual whether text and ids of the prompt are the reference's
 * @param sameTokens greedy tokens before the first that differs
 * @param nTokens greedy tokens of the reference
 */
record FidelityRow(
    String model,
    String name,
    double pixels,
    double cosine,
    double maxError,
    boolean promptEqual,
    int sameTokens,
    int nTokens,
    Optional<PeerResults.Case> peer) {

  static final String HEADER =
      """
      | model | case | pixels | cosine | max error | prompt | tokens | mtmd cosine | mtmd max error | mtmd prompt | mtmd tokens | mtmd, resized first |
      |---|---|---|---|---|---|---|---|---|---|---|---|
      """;

  /** Computes the row of a case. */
  static FidelityRow of(Reference reference, String model, ReferenceCase c, PeerResults peers)
      throws IOException {
    FidelityHarness.Embeddings embeddings = FidelityHarness.embeddings(reference, model, c);
    Answer answer = FidelityHarness.answer(reference, model, c);
    int different = Arrays.mismatch(answer.tokens(), c.greedy());
    return new FidelityRow(
        model,
        c.name(),
        embeddings.pixels().maxError(),
        embeddings.rows().cosine(),
        embeddings.rows().maxError(),
        c.isPrompt(answer.prompt()) && Arrays.equals(answer.promptTokens(), c.promptTokens()),
        different < 0 ? c.greedy().length : different,
        c.greedy().length,
        peers.find(c.name()));
  }

  /** Whether the rows are nearer to the reference than mtmd's, where those can be compared. */
  boolean isCloserThanPeer() {
    return peer.map(p -> isBelow(p.normal()) && p.resizedFirst().map(this::isBelow).orElse(true))
        .orElse(true);
  }

  private boolean isBelow(PeerResults.Run run) {
    return run.maxError().map(error -> maxError < error).orElse(true)
        && run.cosine().map(other -> cosine > other).orElse(true);
  }

  String markdown() {
    return "| %s | %s | %s | %s | %s | %s | %s | %s |%n"
        .formatted(
            model,
            name,
            pixels == 0 ? "0" : number(pixels),
            cosine(cosine),
            number(maxError),
            equal(promptEqual),
            tokens(sameTokens),
            peer.map(this::markdown).orElse("not measured | | | |"));
  }

  private String markdown(PeerResults.Case p) {
    PeerResults.Run run = p.normal();
    return "%s | %s | %s | %s | %s"
        .formatted(
            run.cosine().map(FidelityRow::cosine).orElse("other rows"),
            run.maxError().map(FidelityRow::number).orElse(""),
            equal(run.idsEqual()),
            tokens(run.sameTokens()),
            p.resizedFirst()
                .map(r ->
                    "%s, %s, %s"
                        .formatted(
                            r.cosine().map(FidelityRow::cosine).orElse("other rows"),
                            r.maxError().map(FidelityRow::number).orElse(""),
                            tokens(r.sameTokens())))
                .orElse("-"));
  }

  private String tokens(int same) {
    return same + " of " + nTokens;
  }

  private static String equal(boolean equal) {
    return equal ? "equal" : "differs";
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1e", value);
  }

  /** Twelve places, of which the nines in front are what counts; a distance says it better. */
  private static String cosine(double value) {
    return value > 0.999
        ? String.format(Locale.ROOT, "1 - %.0e", Math.max(0, 1 - value))
        : String.format(Locale.ROOT, "%.3f", value);
  }
}
