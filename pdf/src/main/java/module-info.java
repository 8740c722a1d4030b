import dev.ocellus.pdf.PdfReader;
import dev.ocellus.vlm.image.document.DocumentReader;

/** Pages of PDF documents as images. A module of its own, as few programs need its library. */
@SuppressWarnings("requires-automatic")
module dev.ocellus.pdf {
  requires static org.jspecify;
  requires transitive dev.ocellus.vlm;
  requires java.desktop;
  requires org.apache.pdfbox;
  requires org.apache.pdfbox.io;

  exports dev.ocellus.pdf;

  provides DocumentReader with
      PdfReader;
}
