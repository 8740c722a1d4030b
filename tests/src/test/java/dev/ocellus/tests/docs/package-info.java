/** What the documentation prints is what the code does. */
package dev.ocellus.tests.docs;
