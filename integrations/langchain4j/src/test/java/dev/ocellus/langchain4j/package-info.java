/** LangChain4j's own test kit, and what it leaves out. */
@NullMarked
package dev.ocellus.langchain4j;

import org.jspecify.annotations.NullMarked;
