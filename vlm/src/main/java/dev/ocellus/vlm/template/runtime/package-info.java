/**
 * What a template computes with: the values of Python, their operators, comparison and printing,
 * and the state and limits of one rendering.
 */
package dev.ocellus.vlm.template.runtime;
