/**
 * What llama-server has besides OpenAI's API.
 *
 * @see <a
 *     href="https://github.com/ggml-org/llama.cpp/blob/v0.4.0/tools/server/README.md">README</a>
 */
package dev.ocellus.server.llama;
