package dev.ocellus.spark;

/** What a model is opened as. */
enum ModelUse {
  CHAT,
  EMBEDDING
}
