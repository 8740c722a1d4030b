package dev.ocellus.server.image;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Arrays;

/** Which addresses a server may connect to because a request says so. */
@FunctionalInterface
interface AddressPolicy {
  /** Whether an address may be connected to. */
  boolean allows(InetAddress address);

  /**
   * Addresses of the public Internet: none of this machine, of its network, of a cloud's metadata
   * service or set aside for anything else, however they are written or wrapped.
   *
   * @see <a href="https://www.iana.org/assignments/iana-ipv4-special-registry">IPv4</a>
   * @see <a href="https://www.iana.org/assignments/iana-ipv6-special-registry">IPv6</a>
   */
  AddressPolicy PUBLIC = AddressPolicy::isPublic;

  private static boolean isPublic(InetAddress address) {
    if (address.isAnyLocalAddress()
        || address.isLoopbackAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()) {
      return false;
    }
    byte[] bytes = address.getAddress();
    return address instanceof Inet4Address ? isPublic4(bytes) : isPublic6(bytes);
  }

  private static boolean isPublic4(byte[] a) {
    int first = a[0] & 0xff;
    int second = a[1] & 0xff;
    int third = a[2] & 0xff;
    return switch (first) {
      case 0, 10, 127 -> false; // this network, private, loopback
      case 100 -> second < 64 || second > 127; // carriers' NAT, and a cloud's metadata service
      case 169 -> second != 254; // link-local, where most metadata services are
      case 172 -> second < 16 || second > 31; // private
      case 192 -> // protocol assignments, examples, relays, private
          !(second == 0 && (third == 0 || third == 2)
              || second == 88 && third == 99
              || second == 168);
      case 198 ->
          !(second == 18 || second == 19 || second == 51 && third == 100); // tests, examples
      case 203 -> !(second == 0 && third == 113); // examples
      default -> first < 224; // multicast and reserved, broadcast among it
    };
  }

  /** Global unicast is all under 2000::/3, and some of that wraps addresses of version 4. */
  private static boolean isPublic6(byte[] a) {
    boolean isNat64 = startsWith(a, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0);
    if (isNat64) {
      return isPublic4(Arrays.copyOfRange(a, 12, 16));
    }
    if ((a[0] & 0xe0) != 0x20) {
      return false;
    }
    boolean isProtocolAssignment = startsWith(a, 0x20, 0x01) && (a[2] & 0xfe) == 0; // Teredo, too
    boolean isExample =
        startsWith(a, 0x20, 0x01, 0x0d, 0xb8) || startsWith(a, 0x3f, 0xff) && (a[2] & 0xf0) == 0;
    boolean is6to4 = startsWith(a, 0x20, 0x02);
    return !isProtocolAssignment
        && !isExample
        && (!is6to4 || isPublic4(Arrays.copyOfRange(a, 2, 6)));
  }

  private static boolean startsWith(byte[] address, int... beginning) {
    for (int i = 0; i < beginning.length; i++) {
      if ((address[i] & 0xff) != beginning[i]) {
        return false;
      }
    }
    return true;
  }
}
