/** From the source of a template to a tree that evaluates itself. */
package dev.ocellus.vlm.template.syntax;
