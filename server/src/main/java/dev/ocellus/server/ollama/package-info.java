/**
 * Ollama's API, as far as it is about using models.
 *
 * @see <a href="https://github.com/ollama/ollama/blob/v0.13.0/docs/api.md">API</a>
 */
package dev.ocellus.server.ollama;
