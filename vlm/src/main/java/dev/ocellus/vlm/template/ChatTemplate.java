package dev.ocellus.vlm.template;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template, compiled once and rendered as often as wanted.
 *
 * <p>The language is Jinja2 3.1 as HuggingFace transformers sets it up for chat templates:
 * sandboxed, {@code trim_blocks}, {@code lstrip_blocks}, {@code break} and {@code continue}, the
 * {@code generation} tag, {@code raise_exception}, {@code strftime_now} and a {@code tojson} that
 * does not escape for HTML. Renderings equal the reference's byte for byte.
 *
 * <p>Immutable and safe for use by many threads. Whatever the template does, rendering ends with a
 * result or a {@link TemplateException}: steps, depth and memory are bounded.
 */
public final class ChatTemplate {
  /** Longest template, in UTF-16 units; published ones stay below 20,000. */
  private static final int MAX_SOURCE = 1 << 20;

  private final Source source;
  private final List<Stmt> body;
  private final TemplateLimits limits;

  /** Found out when first asked for, as it takes a dozen renderings; a race only repeats them. */
  private volatile @Nullable ChatTemplateCapabilities capabilities;

  private ChatTemplate(Source source, List<Stmt> body, TemplateLimits limits) {
    this.source = source;
    this.body = body;
    this.limits = limits;
  }

  /**
   * Compiles a template.
   *
   * @throws TemplateSyntaxException when it is not valid, with line and column
   * @throws TemplateLimitException when it is too long or nests too deep
   */
  public static ChatTemplate compile(String template) {
    return compile(template, TemplateLimits.DEFAULT);
  }

  /** Compiles a template whose renderings may cost at most {@code limits}. */
  public static ChatTemplate compile(String template, TemplateLimits limits) {
    if (template.length() > MAX_SOURCE) {
      throw new TemplateLimitException(
          "the template has " + template.length() + " characters, more than " + MAX_SOURCE, 1, 1);
    }
    Source source = new Source(template);
    TokenStream tokens = new TokenStream(source);
    Parser parser = new Parser(tokens);
    try {
      return new ChatTemplate(source, List.copyOf(parser.template()), limits);
    } catch (Fail e) {
      int position = tokens.current().position();
      throw e.at(source.line(position), source.column(position));
    } catch (StackOverflowError e) {
      throw tooDeep(source, tokens.current().position());
    }
  }

  /** What the template can do with a conversation. Takes milliseconds the first time. */
  public ChatTemplateCapabilities capabilities() {
    ChatTemplateCapabilities known = capabilities;
    if (known == null) {
      known = ChatTemplateCapabilities.probe(this);
      capabilities = known;
    }
    return known;
  }

  /** Renders with the machine's clock. */
  public Rendered render(Map<String, ? extends @Nullable Object> context) {
    return run(context, null);
  }

  /**
   * Renders.
   *
   * @param context the template's variables, such as {@code messages}: strings, {@link Text},
   *     numbers, booleans, null, lists and maps with these in them. A string is {@link
   *     Origin#INPUT}; for trusted text pass a {@link Text}
   * @param now what {@code strftime_now} tells
   * @throws TemplateRaisedException when the template refuses the conversation
   * @throws TemplateLimitException when it exceeds its limits
   * @throws TemplateException when it fails in another way, with line and column
   * @throws IllegalArgumentException when the context holds an object of another type
   */
  public Rendered render(Map<String, ? extends @Nullable Object> context, LocalDateTime now) {
    return run(context, now);
  }

  private Rendered run(
      Map<String, ? extends @Nullable Object> context, @Nullable LocalDateTime now) {
    Evaluation in = new Evaluation(limits, now);
    try {
      Scope scope = new Scope(Globals.SCOPE);
      for (Map.Entry<String, ? extends @Nullable Object> e : context.entrySet()) {
        scope.set(e.getKey(), Values.fromJava(e.getValue()));
      }
      TextBuilder out = in.text();
      Stmt.execAll(body, in, new Scope(scope), out);
      return Rendered.of(out.build());
    } catch (Fail e) {
      throw e.at(source.line(in.position()), source.column(in.position()));
    } catch (StackOverflowError e) {
      throw tooDeep(source, in.position());
    }
  }

  /** The depth limits keep clear of this on the usual stack sizes; a thread may have a tiny one. */
  private static TemplateException tooDeep(Source source, int position) {
    return new TemplateLimitException(
        "the template nests too deep for the stack of this thread",
        source.line(position),
        source.column(position));
  }
}
