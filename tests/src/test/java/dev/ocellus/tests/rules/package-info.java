/** Rules of the code's structure. */
package dev.ocellus.tests.rules;
