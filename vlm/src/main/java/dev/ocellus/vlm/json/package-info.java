/** Conversations as JSON, in the form of OpenAI's API and of HuggingFace's chats. */
@NullMarked
package dev.ocellus.vlm.json;

import org.jspecify.annotations.NullMarked;
