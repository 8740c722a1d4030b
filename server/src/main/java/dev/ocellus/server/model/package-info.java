/**
 * Models that are loaded when somebody asks for them, and the work that waits for them. Knows
 * conversations and answers, and no API's way of writing them.
 */
package dev.ocellus.server.model;
