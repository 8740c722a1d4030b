/**
 * Evaluation of whole models: importance from chats, comparison of two models on texts, chats,
 * images and weights, and benchmarks.
 */
package dev.ocellus.eval;
