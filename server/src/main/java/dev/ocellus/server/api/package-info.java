/**
 * What the APIs have in common: reading JSON that may be anything, and saying what is wrong with
 * it. Knows no model.
 */
package dev.ocellus.server.api;
