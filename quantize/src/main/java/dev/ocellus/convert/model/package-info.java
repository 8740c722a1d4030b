/** How each architecture's configuration and tensors become those of llama.cpp. */
package dev.ocellus.convert.model;
