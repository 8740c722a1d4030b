package dev.ocellus.vlm.template.text;

/** Who wrote a piece of a prompt: decides whether control tokens may come out of it. */
public enum Origin {
  /** The template itself, or text that the library vouches for: control tokens are allowed. */
  TEMPLATE,
  /** A message, tool, file name or anything else from outside: plain text, whatever it says. */
  INPUT,
  /** The marker of one image, inserted by the library and by nobody else. */
  IMAGE
}
