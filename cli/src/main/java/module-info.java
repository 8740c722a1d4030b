/** The {@code ocellus} command. */
module dev.ocellus.cli {
  requires static org.jspecify;
  requires dev.ocellus.vlm;
  requires dev.ocellus.quantize;
  requires dev.ocellus.search;
  requires dev.ocellus.hub;
  requires dev.ocellus.server;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires java.logging; // Lucene's remarks on the machine, which are none of a user's business
  requires org.jline;
  requires jdk.unsupported; // signals, which JLine finds there

  exports dev.ocellus.cli;

  opens dev.ocellus.cli to
      info.picocli;
  opens dev.ocellus.cli.chat to
      info.picocli;
  opens dev.ocellus.cli.command to
      info.picocli;
  opens dev.ocellus.cli.generate to
      info.picocli;
  opens dev.ocellus.cli.inputs to
      info.picocli;
  opens dev.ocellus.cli.machine to
      info.picocli;
  opens dev.ocellus.cli.model to
      info.picocli;
  opens dev.ocellus.cli.options to
      info.picocli;
  opens dev.ocellus.cli.search to
      info.picocli;
  opens dev.ocellus.cli.serve to
      info.picocli;

  provides System.LoggerFinder with
      dev.ocellus.cli.log.StderrLoggerFinder;
}
