/** The {@code ocellus} command. */
module dev.ocellus.cli {
  requires static org.jspecify;
  requires dev.ocellus.vlm;
  requires dev.ocellus.quantize;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires org.jline;
  requires jdk.unsupported; // signals, which JLine finds there

  exports dev.ocellus.cli;

  opens dev.ocellus.cli to
      info.picocli;

  provides System.LoggerFinder with
      dev.ocellus.cli.log.StderrLoggerFinder;
}
