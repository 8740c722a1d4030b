package dev.ocellus.langchain4j;

import java.util.function.Supplier;

/** Lets a framework give builders of its own; found by {@link java.util.ServiceLoader}. */
public interface OcellusStreamingChatModelBuilderFactory
    extends Supplier<OcellusStreamingChatModel.Builder> {}
