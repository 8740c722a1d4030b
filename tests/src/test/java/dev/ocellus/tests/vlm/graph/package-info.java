/** The engine that computes graphs of any model, and the blocks that such graphs are made of. */
package dev.ocellus.tests.vlm.graph;
