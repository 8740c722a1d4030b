package dev.ocellus.server.image;

import java.io.IOException;
import java.net.InetAddress;

/** Finds the addresses of a host. */
@FunctionalInterface
interface HostLookup {
  /**
   * All addresses of a host; the caller connects to one of these and never asks again.
   *
   * @throws java.net.UnknownHostException if there is no such host
   * @throws java.net.SocketTimeoutException if that is not known in time
   */
  InetAddress[] lookUp(String host, Deadline deadline) throws IOException;
}
