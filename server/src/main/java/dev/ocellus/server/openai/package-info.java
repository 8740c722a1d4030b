/**
 * OpenAI's API: chat completions, completions, responses, embeddings, models.
 *
 * @see <a href="https://platform.openai.com/docs/api-reference">API reference</a>
 */
package dev.ocellus.server.openai;
