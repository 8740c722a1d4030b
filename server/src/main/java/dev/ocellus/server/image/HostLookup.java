package dev.ocellus.server.image;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Finds the addresses of a host. */
@FunctionalInterface
interface HostLookup {
  /** The system's resolver. */
  HostLookup SYSTEM = InetAddress::getAllByName;

  /** All addresses of a host; the caller connects to one of these and never asks again. */
  InetAddress[] lookUp(String host) throws UnknownHostException;
}
