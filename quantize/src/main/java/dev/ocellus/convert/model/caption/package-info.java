/**
 * Models that write about images and are no chat models: BLIP, BLIP-2, InstructBLIP, Florence-2;
 * and their language models, which llama.cpp has not.
 */
package dev.ocellus.convert.model.caption;
