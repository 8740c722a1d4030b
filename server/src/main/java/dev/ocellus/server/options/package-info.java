/**
 * What a server is told: models, limits, access. Values without behaviour, which use no other
 * package of the server.
 */
package dev.ocellus.server.options;
