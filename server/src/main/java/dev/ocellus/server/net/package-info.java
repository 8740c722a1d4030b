/** Helidon's web server as the door to handlers: connections, their limits, their ends. */
package dev.ocellus.server.net;
