/** Search over folders of images. */
module dev.ocellus.search {
  requires static org.jspecify;
  requires transitive dev.ocellus.vlm;
  requires org.apache.lucene.core;

  exports dev.ocellus.search;
}
