/**
 * Grammars that an answer must follow; GBNF as in llama.cpp.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.grammar.Grammar} is the door. {@code GbnfParser} and
 * compilers of other notations make expressions ({@link dev.ocellus.vlm.grammar.GrammarExpr}),
 * {@code Program} compiles them to nodes, {@code Automaton} runs them over bytes, {@link
 * dev.ocellus.vlm.grammar.GrammarConstraint} over tokens.
 */
package dev.ocellus.vlm.grammar;
