package dev.ocellus.vlm.template;

/** Python's None: a value of its own, so that Java's null can mean "absent". */
enum None {
  NONE
}
