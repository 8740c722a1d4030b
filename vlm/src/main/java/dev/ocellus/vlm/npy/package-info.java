/**
 * Arrays in NumPy's {@code .npy} format, read and written without Python. Depends on files only.
 */
package dev.ocellus.vlm.npy;
