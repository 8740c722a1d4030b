package dev.ocellus.vlm.template;

import dev.ocellus.vlm.template.builtin.Globals;
import dev.ocellus.vlm.template.builtin.JinjaBuiltins;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.syntax.CompiledTemplate;
import dev.ocellus.vlm.template.syntax.SyntaxError;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TextTooLongException;
import dev.ocellus.vlm.template.text.TracedText;
import java.time.LocalDateTime;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A chat template, compiled once and rendered as often as wanted.
 *
 * <p>The language is Jinja2 3.1 as HuggingFace transformers sets it up for chat templates:
 * sandboxed, {@code trim_blocks}, {@code lstrip_blocks}, {@code break} and {@code continue}, the
 * {@code generation} tag, {@code raise_exception}, {@code strftime_now} and a {@code tojson} that
 * does not escape for HTML. Renderings equal the reference's byte for byte. Filters for web pages
 * and terminals, which no published chat template uses, do not exist here and are refused by name:
 * {@code filesizeformat}, {@code pprint}, {@code striptags}, {@code urlencode}, {@code urlize},
 * {@code wordwrap} and {@code xmlattr}.
 *
 * <p>Immutable and safe for use by many threads. Whatever the template does, rendering ends with a
 * result or a {@link TemplateException}: steps, depth and memory are bounded.
 */
public final class ChatTemplate {
  /** Longest template, in UTF-16 units; published ones stay below 20,000. */
  private static final int MAX_SOURCE = 1 << 20;

  private final CompiledTemplate compiled;
  private final TemplateLimits limits;

  /** Found out when first asked for, as it takes a dozen renderings; a race only repeats them. */
  private volatile @Nullable ChatTemplateCapabilities capabilities;

  private ChatTemplate(CompiledTemplate compiled, TemplateLimits limits) {
    this.compiled = compiled;
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
    try {
      return new ChatTemplate(CompiledTemplate.parse(template, JinjaBuiltins.INSTANCE), limits);
    } catch (SyntaxError e) {
      throw failure(e.kind(), e.detail(), e.line(), e.column());
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
   * @param context the template's variables, such as {@code messages}: strings, {@link TracedText},
   *     numbers, booleans, null, lists and maps with these in them. A string is {@link
   *     Origin#INPUT}; for trusted text pass a {@link TracedText}
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
    Evaluation in = new Evaluation(JinjaBuiltins.INSTANCE, costs(limits), now);
    try {
      Scope scope = new Scope(Globals.SCOPE);
      for (Map.Entry<String, ? extends @Nullable Object> e : context.entrySet()) {
        scope.set(e.getKey(), Values.fromJava(e.getValue()));
      }
      TextBuilder out = in.text();
      compiled.run(in, new Scope(scope), out);
      return Rendered.of(out.build());
    } catch (EvaluationError e) {
      throw failure(in, e.kind(), e.detail());
    } catch (TextTooLongException e) {
      throw failure(
          in, EvaluationError.LIMIT, "the template makes " + e.getMessage() + "; is it looping?");
    } catch (StackOverflowError e) {
      // The depth limits keep clear of this on the usual stack sizes; a thread may have a tiny one.
      throw failure(
          in, EvaluationError.LIMIT, "the template nests too deep for the stack of this thread");
    }
  }

  private static Evaluation.Limits costs(TemplateLimits limits) {
    return new Evaluation.Limits(
        limits.maxSteps(), limits.maxDepth(), limits.maxLength(), limits.maxAllocation());
  }

  private TemplateException failure(Evaluation in, String kind, String detail) {
    return failure(kind, detail, compiled.line(in.position()), compiled.column(in.position()));
  }

  private static TemplateException failure(String kind, String detail, int line, int column) {
    return switch (kind) {
      case SyntaxError.SYNTAX -> new TemplateSyntaxException(detail, line, column);
      case EvaluationError.LIMIT -> new TemplateLimitException(detail, line, column);
      case EvaluationError.RAISED -> new TemplateRaisedException(detail, line, column);
      default -> new TemplateException(kind, detail, line, column);
    };
  }
}
