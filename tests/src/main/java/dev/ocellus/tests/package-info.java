/**
 * Tiny models that tests make themselves, and the packages of what is no test but run by tests or
 * by hand: golden data, synthetic models, benchmarks, fuzzing.
 */
package dev.ocellus.tests;
