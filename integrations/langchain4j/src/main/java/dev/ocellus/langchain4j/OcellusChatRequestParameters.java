package dev.ocellus.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Parameters of a request that only Ocellus has, beside LangChain4j's own. */
public final class OcellusChatRequestParameters extends DefaultChatRequestParameters {
  private final @Nullable Long seed;
  private final @Nullable Boolean thinking;

  private OcellusChatRequestParameters(Builder builder) {
    super(builder);
    this.seed = builder.seed;
    this.thinking = builder.thinking;
  }

  /** Of the random numbers; the same gives the same answer. Null for a new one each time. */
  public @Nullable Long seed() {
    return seed;
  }

  /**
   * Whether the model thinks aloud, for templates that know it. Null for the template's default.
   */
  public @Nullable Boolean thinking() {
    return thinking;
  }

  @Override
  public ChatRequestParameters overrideWith(@Nullable ChatRequestParameters that) {
    return builder().overrideWith(this).overrideWith(that).build();
  }

  @Override
  public ChatRequestParameters defaultedBy(@Nullable ChatRequestParameters that) {
    return builder().overrideWith(that).overrideWith(this).build();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof OcellusChatRequestParameters that
        && Objects.equals(seed, that.seed)
        && Objects.equals(thinking, that.thinking);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), seed, thinking);
  }

  /** Parameters that say nothing yet. */
  public static Builder builder() {
    return new Builder();
  }

  /** Makes parameters. */
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private @Nullable Long seed;
    private @Nullable Boolean thinking;

    private Builder() {}

    @Override
    public Builder overrideWith(@Nullable ChatRequestParameters that) {
      if (that == null) {
        return this;
      }
      super.overrideWith(that);
      if (that instanceof OcellusChatRequestParameters ours) {
        seed = ours.seed != null ? ours.seed : seed;
        thinking = ours.thinking != null ? ours.thinking : thinking;
      }
      return this;
    }

    /** As of {@link OcellusChatRequestParameters#seed}. */
    public Builder seed(@Nullable Long seed) {
      this.seed = seed;
      return this;
    }

    /** As of {@link OcellusChatRequestParameters#thinking}. */
    public Builder thinking(@Nullable Boolean thinking) {
      this.thinking = thinking;
      return this;
    }

    @Override
    public OcellusChatRequestParameters build() {
      return new OcellusChatRequestParameters(this);
    }
  }
}
