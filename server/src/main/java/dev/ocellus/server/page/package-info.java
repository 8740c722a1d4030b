/** The web page: files of the jar, and nothing else. */
package dev.ocellus.server.page;
