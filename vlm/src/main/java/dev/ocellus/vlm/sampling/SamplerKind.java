package dev.ocellus.vlm.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The samplers whose order {@link SamplingOptions} lets choose, with llama.cpp's names. */
public enum SamplerKind {
  PENALTIES("penalties"),
  DRY("dry"),
  TOP_N_SIGMA("top_n_sigma"),
  TOP_K("top_k"),
  TYPICAL_P("typ_p", "typical_p", "typical", "typ"),
  TOP_P("top_p", "nucleus"),
  MIN_P("min_p"),
  XTC("xtc"),
  TEMPERATURE("temperature", "temp"),
  /** Selects the token itself, at the end of the chain wherever it stands in the order. */
  ADAPTIVE_P("adaptive_p");

  /** llama.cpp's order of the samplers that are applied unless something else is asked for. */
  public static final List<SamplerKind> DEFAULT_ORDER =
      List.of(PENALTIES, DRY, TOP_N_SIGMA, TOP_K, TYPICAL_P, TOP_P, MIN_P, XTC, TEMPERATURE);

  @SuppressWarnings("ImmutableEnumChecker") // it comes from List.of
  private final List<String> names;

  SamplerKind(String... names) {
    this.names = List.of(names);
  }

  /** The name in llama.cpp's {@code --samplers}. */
  public String llamaName() {
    return names.getFirst();
  }

  /**
   * Reads a list such as {@code top_k;top_p;temperature}; hyphens count as underscores.
   *
   * @throws IllegalArgumentException if a name is unknown
   */
  public static List<SamplerKind> parseList(String list) {
    return Arrays.stream(list.split(";", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .map(SamplerKind::parse)
        .toList();
  }

  private static SamplerKind parse(String name) {
    String wanted = name.toLowerCase(Locale.ROOT).replace('-', '_');
    return Arrays.stream(values())
        .filter(kind -> kind.names.contains(wanted))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "sampler: expected one of "
                    + Arrays.stream(values())
                        .map(SamplerKind::llamaName)
                        .collect(Collectors.joining(", "))
                    + "; found \""
                    + name
                    + "\""));
  }
}
