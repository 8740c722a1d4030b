/** The filters, tests and functions of Jinja2 and the methods of Python's types, by name. */
package dev.ocellus.vlm.template.builtin;
