/** Applications of Spring Boot that start with the embedded models. */
@NullMarked
package dev.ocellus.springai.autoconfigure;

import org.jspecify.annotations.NullMarked;
