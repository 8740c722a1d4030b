/**
 * Grammars that an answer must follow: GBNF as in llama.cpp, and JSON Schema.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.sampling.grammar.Grammar} is the door. {@code
 * GbnfParser} and {@code SchemaCompiler} make expressions ({@code Expr}), {@code Program} compiles
 * them to nodes, {@code Automaton} runs them over bytes, {@code GrammarConstraint} over tokens.
 */
package dev.ocellus.vlm.sampling.grammar;
