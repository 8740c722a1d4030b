/** Draws the pages of PDF documents with Apache PDFBox. */
@NullMarked
package dev.ocellus.pdf;

import org.jspecify.annotations.NullMarked;
