/** Behaviour that needs real models: encoders, prompts, conversations, wrong files. */
package dev.ocellus.tests.vlm;
