/**
 * Images that requests bring or name. No file of the server is ever read for one, and what is
 * fetched comes from public addresses only.
 */
package dev.ocellus.server.image;
