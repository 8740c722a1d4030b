/** Load on a server, which may be any of OpenAI's API. */
package dev.ocellus.tests.load;
