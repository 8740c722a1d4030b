/**
 * JSON Schema as a grammar.
 *
 * <p>Reading order: {@link dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar} is the door. {@code
 * SchemaCompiler} goes through a schema, {@code SchemaMerger} makes one schema of several that must
 * all hold; objects, numbers, strings and patterns have a class each.
 */
package dev.ocellus.vlm.grammar.schema;
