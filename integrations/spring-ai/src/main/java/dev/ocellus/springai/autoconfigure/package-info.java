/** Auto-configuration for Spring Boot 4. */
@NullMarked
package dev.ocellus.springai.autoconfigure;

import org.jspecify.annotations.NullMarked;
