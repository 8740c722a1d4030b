/**
 * Files of several pages, each of which becomes an image when it is asked for: TIFF here, PDF where
 * the module {@code dev.ocellus.pdf} is there.
 */
package dev.ocellus.vlm.image.document;
