/** Files: mapping them, replacing them as a whole, hashing them. */
package dev.ocellus.io;
