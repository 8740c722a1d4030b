package dev.ocellus.server;

import java.io.IOException;

/** A server in a process of its own, which has little memory; ends when its input does. */
final class SmallHeap {
  private SmallHeap() {}

  public static void main(String[] arguments) throws IOException {
    try (OcellusServer server = OcellusServer.start(TestServer.options())) {
      System.out.println("port " + server.port());
      while (System.in.read() >= 0) {
        continue;
      }
    }
  }
}
