/** What is published fits together. */
package dev.ocellus.tests.packages;
