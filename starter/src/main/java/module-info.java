/**
 * Vision-language models with all that they usually need: the models themselves, their names on hubs, and the native
 * libraries of every platform. It has no code of its own.
 */
module dev.ocellus.starter {
  requires transitive dev.ocellus.vlm;
  requires transitive dev.ocellus.hub;
}
