/**
 * A server that holds models and speaks the APIs that clients know already; and its handlers, for
 * servers of others. It builds on all packages below it, and none of them on it.
 */
package dev.ocellus.server;
