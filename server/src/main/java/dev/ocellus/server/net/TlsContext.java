package dev.ocellus.server.net;

import dev.ocellus.Setting;
import dev.ocellus.server.options.TlsException;
import dev.ocellus.server.options.TlsFiles;
import io.helidon.common.tls.Tls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A certificate and its key from PEM files, which the JDK reads without help. Whatever is wrong
 * with them is said before the server listens, not at the first handshake.
 */
final class TlsContext {
  private static final String KEY = "PRIVATE KEY";
  private static final String TO_PKCS8 = "openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW";

  /** How each kind of key signs. */
  private static final Map<String, String> SIGNATURES =
      Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "Ed25519", "Ed25519");

  private TlsContext() {}

  /**
   * @throws TlsException if a file cannot be read or used, or the two do not belong together
   */
  static Tls of(TlsFiles files) {
    Certificate[] certificates = certificates(files.certificates());
    PrivateKey key = key(files.key());
    requireSameKey(certificates[0].getPublicKey(), key, files);
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry("server", key, new char[0], certificates);
      var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(store, new char[0]);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(managers.getKeyManagers(), null, null);
      return Tls.builder()
          .sslContext(context)
          .enabledProtocols(List.of("TLSv1.3", "TLSv1.2"))
          .build();
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException(
              "the certificate %s and the key %s cannot be used: %s"
                  .formatted(files.certificates(), files.key(), e.getMessage()),
              e)
          .about(Setting.TLS_CERTIFICATES, Setting.TLS_KEY);
    }
  }

  private static byte[] read(Path file, String what, Setting setting) {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new TlsException("%s: there is no such file for the %s".formatted(file, what), e)
          .about(setting);
    } catch (IOException e) {
      throw new TlsException(
              "%s: the %s cannot be read: %s".formatted(file, what, e.getMessage()), e)
          .about(setting);
    }
  }

  private static Certificate[] certificates(Path file) {
    byte[] pem = read(file, "certificate", Setting.TLS_CERTIFICATES);
    Certificate[] found;
    try {
      found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))
              .toArray(Certificate[]::new);
    } catch (CertificateException e) {
      throw new TlsException(
              "%s: expected certificates in PEM (BEGIN CERTIFICATE), found something else: %s"
                  .formatted(file, e.getMessage()),
              e)
          .about(Setting.TLS_CERTIFICATES);
    }
    if (found.length == 0) {
      throw new TlsException(
              file + ": expected certificates in PEM (BEGIN CERTIFICATE), found none", null)
          .about(Setting.TLS_CERTIFICATES);
    }
    return found;
  }

  private static PrivateKey key(Path file) {
    String pem = new String(read(file, "key", Setting.TLS_KEY), StandardCharsets.ISO_8859_1);
    String begin = "-----BEGIN " + KEY + "-----";
    int from = pem.indexOf(begin);
    int to = pem.indexOf("-----END " + KEY + "-----");
    if (from < 0 || to < from) {
      throw new TlsException("%s: %s".formatted(file, otherThanKey(pem)), null)
          .about(Setting.TLS_KEY);
    }
    byte[] der;
    try {
      String base64 = pem.substring(from + begin.length(), to).replaceAll("\\s", "");
      der = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new TlsException(file + ": the key is not valid base64", e).about(Setting.TLS_KEY);
    }
    return key(file, new PKCS8EncodedKeySpec(der));
  }

  /** What stands in a file instead of a key, and what to do about it. */
  private static String otherThanKey(String pem) {
    if (pem.contains("BEGIN ENCRYPTED " + KEY) || pem.contains("Proc-Type: 4,ENCRYPTED")) {
      return "the key has a password, and a server cannot ask for one; store it without, readable by"
          + " the server only: "
          + TO_PKCS8;
    }
    if (pem.contains("BEGIN RSA " + KEY) || pem.contains("BEGIN EC " + KEY)) {
      return "expected a key in PKCS #8 (BEGIN PRIVATE KEY), found an older form; change it: "
          + TO_PKCS8;
    }
    return "expected a key in PEM, PKCS #8 and without a password (BEGIN PRIVATE KEY), found "
        + (pem.contains("BEGIN CERTIFICATE") ? "a certificate" : "none");
  }

  private static PrivateKey key(Path file, PKCS8EncodedKeySpec spec) {
    GeneralSecurityException last = null;
    for (String algorithm : SIGNATURES.keySet()) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (GeneralSecurityException e) {
        last = e;
      }
    }
    throw new TlsException(
            "%s: expected a key of RSA, EC or Ed25519, found none that can be read: %s"
                .formatted(file, last == null ? "" : last.getMessage()),
            last)
        .about(Setting.TLS_KEY);
  }

  /** The JDK would notice at the first handshake only, and tell nobody but the client. */
  private static void requireSameKey(PublicKey certified, PrivateKey key, TlsFiles files) {
    try {
      String kind = key.getAlgorithm().equals("EdDSA") ? "Ed25519" : key.getAlgorithm();
      String algorithm = SIGNATURES.getOrDefault(kind, kind);
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      byte[] text = "ocellus".getBytes(StandardCharsets.US_ASCII);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(text);
      if (signature.verify(signed)) {
        return;
      }
    } catch (GeneralSecurityException e) { // keys of different kinds cannot belong together
    }
    throw new TlsException(
            "the key %s does not belong to the first certificate of %s"
                .formatted(files.key(), files.certificates()),
            null)
        .about(Setting.TLS_CERTIFICATES, Setting.TLS_KEY);
  }
}
