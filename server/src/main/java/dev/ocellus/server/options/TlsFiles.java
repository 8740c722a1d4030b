package dev.ocellus.server.options;

import java.nio.file.Path;

/**
 * The certificate of a server and its key.
 *
 * @param certificates PEM, the server's own first
 * @param key PEM, PKCS #8 without a password
 */
public record TlsFiles(Path certificates, Path key) {}
