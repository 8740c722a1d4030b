/** Strings that remember for each character whether the template or the input wrote it. */
package dev.ocellus.vlm.template.text;
