package dev.ocellus.cli.serve;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.server.options.AccessOptions;
import dev.ocellus.server.options.ListenOptions;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.server.options.TlsFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a server listens, and to whom. */
final class ListenGroup {
  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "Address to listen on. Default: 127.0.0.1, this machine only.")
  String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port to listen on; 0 for any that is free. Default: 8080.")
  @Range(min = 0, max = 65_535)
  int port = 8080;

  @Option(
      names = "--api-key",
      paramLabel = "KEY",
      description =
          "A key that requests have to give; may be given several times. Others on this machine may"
              + " see it: rather take --api-key-file or the variable OCELLUS_API_KEY.")
  List<String> apiKeys = new ArrayList<>();

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "The same from a file, a key a line.")
  @Nullable String apiKeyFile;

  @Option(
      names = "--cors-origin",
      paramLabel = "ORIGIN",
      description =
          "Origin of web pages that may use the server, such as https://app.example.org, or * for"
              + " all; may be given several times. Default: none but its own page.")
  List<String> corsOrigins = new ArrayList<>();

  @Option(
      names = "--allowed-host",
      paramLabel = "NAME",
      description =
          "A name by which browsers may reach a server that listens on this machine only, as behind"
              + " a proxy; may be given several times.")
  List<String> allowedHosts = new ArrayList<>();

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "Certificate and those above it (PEM), for HTTPS.")
  @Nullable Path tlsCert;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "Its key (PEM, PKCS #8, without a password).")
  @Nullable Path tlsKey;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      description = "Connections at the same time. Default: 512.")
  @Range(min = 1)
  int maxConnections = 512;

  @Option(names = "--no-page", description = "Serve no web page.")
  boolean noPage;

  ServerOptions apply(OcellusCommand command, ServerOptions options) throws IOException {
    if ((tlsCert == null) != (tlsKey == null)) {
      throw command.usage("--tls-cert and --tls-key belong together");
    }
    List<String> keys = keys(command);
    return command.checked(() ->
        options
            .withListen(
                ListenOptions.defaults()
                    .withHost(host)
                    .withPort(port)
                    .withMaxConnections(maxConnections)
                    .withTls(
                        tlsCert == null || tlsKey == null ? null : new TlsFiles(tlsCert, tlsKey)))
            .withAccess(
                AccessOptions.defaults()
                    .withApiKeys(keys)
                    .withOrigins(corsOrigins)
                    .withHosts(allowedHosts))
            .withPage(!noPage));
  }

  private List<String> keys(OcellusCommand command) throws IOException {
    List<String> keys = new ArrayList<>(apiKeys);
    String variable = command.io().environment().get("OCELLUS_API_KEY");
    if (variable != null && !variable.isBlank()) {
      keys.add(variable.strip());
    }
    if (apiKeyFile != null) {
      TextInput.read(command.io(), apiKeyFile)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .forEach(keys::add);
    }
    return keys;
  }

  /** Whether others than this machine reach the server. */
  boolean isOpenToOthers(ServerOptions options) {
    return !Set.of("127.0.0.1", "localhost", "::1").contains(options.listen().host());
  }
}
