package dev.ocellus.vlm.template;

/** The one thing that a template can assign attributes to. Equal only to itself. */
final class Namespace {
  private final Dict attributes;

  Namespace(Dict attributes) {
    this.attributes = attributes;
  }

  Dict attributes() {
    return attributes;
  }
}
