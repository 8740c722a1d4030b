/**
 * State dicts that PyTorch saved as pickles, in pure Java: reading and checking. A pickle is a
 * program for a small machine; this one knows tensors and the containers around them, and nothing
 * else.
 */
package dev.ocellus.pickle;
