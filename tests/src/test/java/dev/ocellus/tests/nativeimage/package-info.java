/** What a native image must be told, compared with what the program does. */
package dev.ocellus.tests.nativeimage;
