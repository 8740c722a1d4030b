package dev.ocellus.vlm.template.runtime;

/** Python's None: a value of its own, so that Java's null can mean "absent". */
public enum None {
  NONE
}
