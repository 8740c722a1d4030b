/**
 * Anthropic's API: messages and counting their tokens.
 *
 * @see <a href="https://docs.anthropic.com/en/api/messages">Messages</a>
 */
package dev.ocellus.server.anthropic;
