package dev.ocellus.vlm.template.runtime;

/** The one thing that a template can assign attributes to. Equal only to itself. */
public final class Namespace {
  private final Dict attributes;

  public Namespace(Dict attributes) {
    this.attributes = attributes;
  }

  public Dict attributes() {
    return attributes;
  }
}
