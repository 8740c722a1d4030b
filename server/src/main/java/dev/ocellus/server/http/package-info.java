/**
 * What a handler sees of a request and gives for it, whatever server it is mounted in. Uses no
 * other package of the server.
 */
package dev.ocellus.server.http;
